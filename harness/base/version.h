/*
 * version.h - overbook's version: in results, in tokens' complaints, and in the name of a release.
 */
#ifndef OB_BASE_VERSION_H
#define OB_BASE_VERSION_H

#define OB_VERSION "0.1.0"

#endif

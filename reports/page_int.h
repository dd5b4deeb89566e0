/* page_int.h - the report page's own files (reports/page), as the build has put them into C. */
#ifndef OB_REPORTS_PAGE_INT_H
#define OB_REPORTS_PAGE_INT_H

/* Has {{policy}}, {{style}}, {{data}} and {{script}} where the others go. */
extern const char ob_page_html[];
extern const char ob_page_style[];
extern const char ob_page_script[];

#endif

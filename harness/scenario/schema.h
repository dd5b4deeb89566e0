/*
 * schema.h - the JSON Schema of scenario files, made from the vocabulary, by which editors complete
 * and check them.
 *
 * It says what the tables say.  What depends on several places of a file (that a client is known, a
 * transaction ended, a variable captured) only the loader checks.
 */
#ifndef OB_SCENARIO_SCHEMA_H
#define OB_SCENARIO_SCHEMA_H

/* The schema (draft 7, which editors know best) as indented text that ends with a newline; the
 * caller's to free. */
char *ob_scenario_schema(void);

#endif

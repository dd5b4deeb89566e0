/* The JUnit result: valid by the schema, and read as CI systems read it. */
#include "report_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "fixtures/junit.xsd"

static xmlSchemaPtr schema;

static int load_schema(void **state)
{
    (void)state;
    xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(SCHEMA);
    schema = xmlSchemaParse(parser);
    xmlSchemaFreeParserCtxt(parser);
    return schema ? 0 : -1;
}

static int free_schema(void **state)
{
    (void)state;
    xmlSchemaFree(schema);
    xmlCleanupParser();
    return 0;
}

static int validate(xmlDocPtr document)
{
    xmlSchemaValidCtxtPtr context = xmlSchemaNewValidCtxt(schema);
    int result = xmlSchemaValidateDoc(context, document);
    xmlSchemaFreeValidCtxt(context);
    return result;
}

/* The report's document, which is well-formed and valid. */
static xmlDocPtr rendered(const struct ob_report *report)
{
    char *text = report_sample_render(report, ob_report_junit);
    assert_non_null(text);
    xmlDocPtr document = xmlReadMemory(text, (int)strlen(text), "junit.xml", NULL, XML_PARSE_NONET);
    assert_non_null(document);
    assert_int_equal(validate(document), 0);
    free(text);
    return document;
}

/* An XPath expression's value as text. */
static void assert_xpath(xmlDocPtr document, const char *expression, const char *expected)
{
    xmlXPathContextPtr context = xmlXPathNewContext(document);
    xmlXPathObjectPtr value = xmlXPathEvalExpression(BAD_CAST expression, context);
    assert_non_null(value);
    xmlChar *text = xmlXPathCastToString(value);
    assert_string_equal((const char *)text, expected);
    xmlFree(text);
    xmlXPathFreeObject(value);
    xmlXPathFreeContext(context);
}

static void the_schema_refuses_what_is_not_junit(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "<testsuites tests='1' failures='0'/>",
        "<testsuites tests='many' failures='0' errors='0'/>",
        "<testsuites tests='1' failures='0' errors='0'><testcase name='a' "
        "classname='b'/></testsuites>",
        "<testsuites tests='1' failures='0' errors='0'>"
        "<testsuite name='s' tests='1' failures='0' errors='0'><testcase name='a'/></testsuite>"
        "</testsuites>",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        xmlDocPtr document = xmlReadMemory(wrong[i], (int)strlen(wrong[i]), "wrong.xml", NULL,
                                           XML_PARSE_NONET | XML_PARSE_NOERROR);
        assert_non_null(document);
        assert_int_not_equal(validate(document), 0);
        xmlFreeDoc(document);
    }
}

static void a_scenario_is_a_suite_and_a_variant_a_case(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_mixed(&report);
    xmlDocPtr document = rendered(&report);
    assert_xpath(document, "count(/testsuites/testsuite)", "2");
    assert_xpath(document, "string(/testsuites/testsuite[1]/@name)", "two-holds-one-slot");
    assert_xpath(document, "string(/testsuites/testsuite[1]/testcase[1]/@name)", "legacy");
    assert_xpath(document, "string(/testsuites/testsuite[1]/testcase[2]/@name)", "fixed");
    assert_xpath(document, "string(/testsuites/testsuite[2]/testcase[1]/@classname)",
                 "refund-against-cancel");
    xmlFreeDoc(document);
    ob_report_clear(&report);
}

static void variants_apart_from_each_other_share_a_suite(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_mixed(&report);
    struct ob_report_result *late = ob_report_add(&report);
    *late = report.results[0];
    late->variant = "late";
    struct ob_report_result *namesake = ob_report_add(&report);
    *namesake = report.results[0];
    namesake->file = "another/file.yaml";
    xmlDocPtr document = rendered(&report);
    assert_xpath(document, "count(//testsuite)", "3");
    assert_xpath(document, "string(//testsuite[1]/testcase[3]/@name)", "late");
    assert_xpath(document, "string(//testsuite[1]/@tests)", "3");
    xmlFreeDoc(document);
    ob_report_clear(&report);
}

static void an_expected_violation_passes_and_says_how_to_see_it(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_good(&report);
    xmlDocPtr document = rendered(&report);
    assert_xpath(document, "count(//failure | //error | //skipped)", "0");
    assert_xpath(document,
                 "contains(//testcase[@name='legacy']/system-out,"
                 " 'overbook replay ob1-AAEC_wQFBg')",
                 "true");
    assert_xpath(document,
                 "contains(//testcase[@name='legacy']/system-out, 'SELECT 1 WHERE a < b')", "true");
    xmlFreeDoc(document);
    ob_report_clear(&report);
}

static void a_violation_that_cannot_be_replayed_has_no_command(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_good(&report);
    report.results[0].violations[0].replay = "";
    xmlDocPtr document = rendered(&report);
    assert_xpath(document, "contains(string(/), 'overbook replay')", "false");
    xmlFreeDoc(document);
    ob_report_clear(&report);
}

static void what_was_not_expected_is_a_failure(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_mixed(&report);
    xmlDocPtr document = rendered(&report);
    assert_xpath(document, "count(//failure)", "2");
    assert_xpath(document, "string(//testcase[@name='fixed-serializable']/failure/@message)",
                 "It violates money-conserved, which was not expected.");
    assert_xpath(document,
                 "contains(//testcase[@name='fixed-serializable']/failure,"
                 " 'captured 9000 EUR, refunded 18000 EUR')",
                 "true");
    assert_xpath(document, "string(//testcase[@name='legacy']/failure/@type)", "holds");
    assert_xpath(document, "contains(//testcase[@name='legacy']/failure, 'Warning: client bob')",
                 "true");
    xmlFreeDoc(document);
    ob_report_clear(&report);
}

static void a_failure_without_a_reason_says_expected_and_found(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_good(&report);
    report.results[1].verdict = OB_VIOLATED;
    report.results[1].as_expected = false;
    xmlDocPtr document = rendered(&report);
    assert_xpath(document, "string(//failure/@message)", "expected: holds; found: violated");
    xmlFreeDoc(document);
    ob_report_clear(&report);
}

static void inconclusive_is_an_error_and_never_green(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_mixed(&report);
    xmlDocPtr document = rendered(&report);
    assert_xpath(document, "count(//error)", "2");
    assert_xpath(document, "string(//testcase[@name='replay']/error/@type)", "inconclusive");
    assert_xpath(document, "string(//testcase[@name='server']/error/@type)", "error");
    xmlFreeDoc(document);
    ob_report_clear(&report);
}

static void the_counts_are_those_of_the_cases(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_mixed(&report);
    xmlDocPtr document = rendered(&report);
    assert_xpath(document, "string(/testsuites/@tests)", "6");
    assert_xpath(document, "string(/testsuites/@failures)", "2");
    assert_xpath(document, "string(/testsuites/@errors)", "2");
    assert_xpath(document, "string(//testsuite[1]/@failures)", "0");
    assert_xpath(document, "string(//testsuite[2]/@tests)", "4");
    assert_xpath(document, "string(//testsuite[2]/@failures)", "2");
    assert_xpath(document, "string(//testsuite[2]/@errors)", "2");
    assert_xpath(document, "string(//testsuite[1]/@time)", "12.350000");
    xmlFreeDoc(document);
    ob_report_clear(&report);
}

static void characters_that_xml_cannot_carry_are_replaced(void **state)
{
    (void)state;
    struct ob_report report;
    report_sample_mixed(&report);
    report.results[2].reason = "<a b=\"&\">\x01\x1b[31m \xff caf\xe9 \xef\xbf\xbe\xef\xbf\xbf ]]>";
    xmlDocPtr document = rendered(&report);
    assert_xpath(document, "string(//testcase[@name='fixed-serializable']/failure/@message)",
                 "<a b=\"&\">\xef\xbf\xbd\xef\xbf\xbd[31m \xef\xbf\xbd caf\xef\xbf\xbd "
                 "\xef\xbf\xbd\xef\xbf\xbd ]]>");
    xmlFreeDoc(document);
    ob_report_clear(&report);
}

static void a_report_without_results_is_valid(void **state)
{
    (void)state;
    struct ob_report report;
    ob_report_init(&report);
    xmlDocPtr document = rendered(&report);
    assert_xpath(document, "count(//testsuite)", "0");
    xmlFreeDoc(document);
    ob_report_clear(&report);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    report_sample_full_disk(ob_report_junit,
                            "could not write the JUnit result: No space left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_refuses_what_is_not_junit),
        cmocka_unit_test(a_scenario_is_a_suite_and_a_variant_a_case),
        cmocka_unit_test(variants_apart_from_each_other_share_a_suite),
        cmocka_unit_test(an_expected_violation_passes_and_says_how_to_see_it),
        cmocka_unit_test(a_violation_that_cannot_be_replayed_has_no_command),
        cmocka_unit_test(what_was_not_expected_is_a_failure),
        cmocka_unit_test(a_failure_without_a_reason_says_expected_and_found),
        cmocka_unit_test(inconclusive_is_an_error_and_never_green),
        cmocka_unit_test(the_counts_are_those_of_the_cases),
        cmocka_unit_test(characters_that_xml_cannot_carry_are_replaced),
        cmocka_unit_test(a_report_without_results_is_valid),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, load_schema, free_schema);
}

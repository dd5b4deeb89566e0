/*
 * junit.c - the report as JUnit XML, for the test pages of CI systems.
 *
 * A scenario is a test suite, a variant of it a test case.  What was not expected is a failure; an
 * error is an error, and so is what is inconclusive (of the type "inconclusive"): the systems show
 * skipped tests in grey or not at all, and what was not found out must not look as if all were
 * well.  A violation that was expected passes, and says in the case's output what was found and how
 * to see it again.
 */
#include "report_int.h"

#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <stdarg.h>

#include "base/buf.h"

/* What could not be written leaves failed set; it is looked at once, at the end. */
struct writer {
    xmlTextWriterPtr xml;
    struct ob_arena arena;
    bool failed;
};

static void start(struct writer *w, const char *element)
{
    w->failed |= xmlTextWriterStartElement(w->xml, BAD_CAST element) < 0;
}

static void end(struct writer *w)
{
    w->failed |= xmlTextWriterEndElement(w->xml) < 0;
}

static void attribute(struct writer *w, const char *name, const char *value)
{
    value = ob_report_xml(&w->arena, value);
    w->failed |= xmlTextWriterWriteAttribute(w->xml, BAD_CAST name, BAD_CAST value) < 0;
}

OB_PRINTF(3, 4)
static void attributef(struct writer *w, const char *name, const char *fmt, ...)
{
    char value[64];
    va_list args;
    va_start(args, fmt);
    vsnprintf(value, sizeof value, fmt, args);
    va_end(args);
    attribute(w, name, value);
}

static void text(struct writer *w, const char *value)
{
    value = ob_report_xml(&w->arena, value);
    w->failed |= xmlTextWriterWriteString(w->xml, BAD_CAST value) < 0;
}

static void property(struct writer *w, const char *name, const char *value)
{
    start(w, "property");
    attribute(w, "name", name);
    attribute(w, "value", value);
    end(w);
}

struct counts {
    size_t tests, failures, errors;
    double seconds;
};

static bool is_error(const struct ob_report_result *result)
{
    enum ob_standing standing = ob_report_standing(result);
    return standing == OB_UNDECIDED || standing == OB_BROKE_OFF;
}

static void count(struct counts *counts, const struct ob_report_result *result)
{
    counts->tests++;
    counts->failures += ob_report_standing(result) == OB_UNEXPECTED;
    counts->errors += is_error(result);
    counts->seconds += result->seconds_total;
}

static void counts_attributes(struct writer *w, const struct counts *counts)
{
    attributef(w, "tests", "%zu", counts->tests);
    attributef(w, "failures", "%zu", counts->failures);
    attributef(w, "errors", "%zu", counts->errors);
    attribute(w, "skipped", "0");
    attributef(w, "time", "%.6f", counts->seconds);
}

/* What was violated in one run. */
static void append_run(struct ob_buf *out, const struct ob_report_violation *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ob_buf_printf(out, "%s is violated in run %" PRIu64 ": %s\n", v[i].invariant, v[i].run,
                      v[i].why ? v[i].why : "");
    if (v->replay && *v->replay)
        ob_buf_printf(out, "See it again: %s\n", v->replay);
    if (v->trace)
        ob_buf_printf(out, "%s\n", v->trace);
}

/* All that is known about what was found, for a person who reads the CI system's page. */
static const char *findings(struct writer *w, const struct ob_report_result *result)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    if (result->reason && *result->reason)
        ob_buf_printf(&out, "%s\n", result->reason);
    for (size_t i = 0; i < result->warning_count; i++)
        ob_buf_printf(&out, "Warning: %s\n", result->warnings[i]);
    for (size_t i = 0, count; i < result->violation_count; i += count) {
        count = ob_report_same_run(result, i);
        append_run(&out, &result->violations[i], count);
    }
    const char *kept = ob_arena_strdup(&w->arena, out.data);
    ob_buf_clear(&out);
    return kept;
}

/* A failure or an error: the sentence in short, and everything in its body. */
static void problem(struct writer *w, const char *element, const struct ob_report_result *result)
{
    const char *message = result->reason && *result->reason
                              ? result->reason
                              : ob_arena_printf(&w->arena, "expected: %s; found: %s",
                                                result->expected ? result->expected : "",
                                                ob_verdict_word(result->verdict));
    start(w, element);
    attribute(w, "message", message);
    attribute(w, "type", ob_verdict_word(result->verdict));
    text(w, findings(w, result));
    end(w);
}

static void testcase(struct writer *w, const struct ob_report_result *result)
{
    start(w, "testcase");
    attribute(w, "name", result->variant);
    attribute(w, "classname", result->scenario);
    attributef(w, "time", "%.6f", result->seconds_total);
    bool good = ob_report_standing(result) == OB_AS_EXPECTED;
    if (!good)
        problem(w, is_error(result) ? "error" : "failure", result);
    start(w, "system-out");
    text(w,
         ob_arena_printf(&w->arena, "expected: %s\nfound: %s\nstrategy: %s, %" PRIu64 " runs%s\n",
                         result->expected ? result->expected : "", ob_verdict_word(result->verdict),
                         result->strategy ? result->strategy : "", result->runs,
                         !result->exhausted ? ""
                         : result->reduced  ? ", every order that matters"
                                            : ", every schedule"));
    if (good)
        text(w, findings(w, result));
    end(w);
    end(w);
}

/* The suite of the result at index first, which begins it. */
static void testsuite(struct writer *w, const struct ob_report *report, size_t first)
{
    const struct ob_report_result *head = &report->results[first];
    struct counts counts = {0};
    for (size_t i = first; i < report->result_count; i++) {
        if (ob_report_same_scenario(head, &report->results[i]))
            count(&counts, &report->results[i]);
    }
    start(w, "testsuite");
    attribute(w, "name", head->scenario);
    counts_attributes(w, &counts);
    start(w, "properties");
    property(w, "about", head->about);
    property(w, "file", head->file);
    property(w, "target", head->target);
    property(w, "postgres", report->postgres);
    property(w, "seed", ob_arena_printf(&w->arena, "%" PRIu64, report->seed));
    end(w);
    for (size_t i = first; i < report->result_count; i++) {
        if (ob_report_same_scenario(head, &report->results[i]))
            testcase(w, &report->results[i]);
    }
    end(w);
}

/* A rollout's orders are test cases of a suite of their own. */
static void order_case(struct writer *w, const struct ob_report_rollout *rollout,
                       const struct ob_report_order *order)
{
    start(w, "testcase");
    attribute(w, "name", order->name);
    attribute(w, "classname", rollout->name);
    attribute(w, "time", "0");
    const char *found = order->undecided ? "undecided" : order->safe ? "safe" : "unsafe";
    if (!ob_report_order_is_as_expected(order)) {
        start(w, order->undecided ? "error" : "failure");
        attribute(w, "message", order->reason);
        attribute(w, "type", found);
        end(w);
    }
    start(w, "system-out");
    text(w, ob_arena_printf(&w->arena, "expected: %s\nfound: %s: %s\n",
                            order->expected_safe ? "safe" : "unsafe", found, order->reason));
    end(w);
    end(w);
}

static struct counts order_counts(const struct ob_report_rollout *rollout)
{
    struct counts counts = {0};
    counts.tests = rollout ? rollout->order_count : 0;
    for (size_t i = 0; i < counts.tests; i++) {
        const struct ob_report_order *order = &rollout->orders[i];
        counts.errors += order->undecided;
        counts.failures += !order->undecided && !ob_report_order_is_as_expected(order);
    }
    return counts;
}

static void order_suite(struct writer *w, const struct ob_report_rollout *rollout)
{
    const struct counts counts = order_counts(rollout);
    start(w, "testsuite");
    attribute(w, "name", ob_arena_printf(&w->arena, "%s: orders", rollout->name));
    counts_attributes(w, &counts);
    for (size_t i = 0; i < rollout->order_count; i++)
        order_case(w, rollout, &rollout->orders[i]);
    end(w);
}

static bool begins_suite(const struct ob_report *report, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (ob_report_same_scenario(&report->results[i], &report->results[index]))
            return false;
    }
    return true;
}

static void document(struct writer *w, const struct ob_report *report)
{
    struct counts counts = order_counts(report->rollout);
    for (size_t i = 0; i < report->result_count; i++)
        count(&counts, &report->results[i]);
    w->failed |= xmlTextWriterSetIndent(w->xml, 1) < 0;
    w->failed |= xmlTextWriterStartDocument(w->xml, NULL, "UTF-8", NULL) < 0;
    start(w, "testsuites");
    attribute(w, "name", "overbook");
    counts_attributes(w, &counts);
    for (size_t i = 0; i < report->result_count; i++) {
        if (begins_suite(report, i))
            testsuite(w, report, i);
    }
    if (report->rollout)
        order_suite(w, report->rollout);
    end(w);
    w->failed |= xmlTextWriterEndDocument(w->xml) < 0;
    w->failed |= xmlTextWriterFlush(w->xml) < 0;
}

enum ob_result ob_report_junit(const struct ob_report *report, FILE *out, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    struct writer writer = {0};
    ob_arena_init(&writer.arena);
    /* Into memory first: libxml2 prints about failed writes by itself. */
    xmlBufferPtr buffer = xmlBufferCreate();
    writer.xml = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
    if (writer.xml)
        document(&writer, report);
    if (!writer.xml || writer.failed) { /* texts are valid, so it was memory */
        result = ob_error_set(err, OB_INTERNAL, "could not build the JUnit result: out of memory");
        goto cleanup;
    }
    size_t size = (size_t)xmlBufferLength(buffer);
    if (fwrite(xmlBufferContent(buffer), 1, size, out) != size)
        result = ob_report_write_error(err, "the JUnit result");
cleanup:
    xmlFreeTextWriter(writer.xml);
    xmlBufferFree(buffer);
    ob_arena_clear(&writer.arena);
    return result;
}

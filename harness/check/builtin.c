/*
 * builtin.c - the invariants of the reference flow, as SQL over its schema and the history.
 *
 * docs/invariants.md says what each means and defines the events of the history that it reads.
 * Every query has one column, a sentence, and a total order, so the same violation gives the same
 * text.  The money's truth is the provider's, which is outside the database: it comes from the
 * history.
 *
 * They are asked after every run, all at once, so they are written to be planned cheaply: no query
 * needs the planner to choose, and what is asked of the clock is asked once.
 */
#include "check/check.h"

#include <string.h>

/* A slot for people: its day, its bounds, in UTC. */
#define SQL_SLOT(during)                                                               \
    "to_char(lower(" during ") AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' to ' ||" \
    " to_char(upper(" during ") AT TIME ZONE 'UTC', 'HH24:MI')"

/* An instant as the history has it. */
#define SQL_INSTANT(time) "to_char(" time " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* SQL is laid out as SQL. */
/* clang-format off */

/* What is claimed at the moment.  A hold and the booking made from it are one claim.  What a schema
 * of before version 10 does not have is read through JSON: there a simulator has one unit. */
#define SQL_LIVE_CLAIMS                                                                       \
    "  SELECT h.id AS hold_id, coalesce('booking ' || b.id, 'hold ' || h.id) AS name,\n"      \
    "         h.customer_id, coalesce(b.simulator_id, h.simulator_id) AS simulator_id,\n"     \
    "         coalesce(b.during, h.during) AS during, to_jsonb(b) ->> 'unit' AS unit\n"       \
    "    FROM booking.temp_booking h\n"                                                       \
    "    LEFT JOIN booking.booking b ON b.hold_id = h.id AND b.status = 'CONFIRMED'\n"        \
    "   WHERE b.id IS NOT NULL OR h.status = 'CONFIRMED'\n"                                   \
    "      OR h.status = 'RESERVED' AND h.expires_at > (SELECT booking.now())"
#define SQL_ROOM                                                                               \
    "SELECT id AS simulator_id, coalesce((to_jsonb(s) ->> 'capacity')::int, 1) AS capacity,\n" \
    "         (coalesce((to_jsonb(s) ->> 'buffer_before_s')::int, 0)\n"                        \
    "          + coalesce((to_jsonb(s) ->> 'buffer_after_s')::int, 0)) * interval '1 second'\n" \
    "         AS gap FROM booking.simulator s"

/* Each hold and the holds that took its place, itself included: as line(origin, hold_id). */
#define SQL_LINES                                                                           \
    "line AS (\n"                                                                           \
    "  SELECT id AS origin, id AS hold_id FROM booking.temp_booking\n"                      \
    "   UNION ALL\n"                                                                        \
    "  SELECT l.origin, h.id FROM line l JOIN booking.temp_booking h\n"                     \
    "      ON (to_jsonb(h) ->> 'rescheduled_from')::bigint = l.hold_id)"

/* Of a simulator with several units it is known which one a booking has, not a hold. */
static const char no_overlap[] =
    "WITH claim AS (\n" SQL_LIVE_CLAIMS "),\n"
    "room AS (" SQL_ROOM ")\n"
    "SELECT format('%s of %s overlaps %s of %s on simulator %s: %s, %s', b.name, b.customer_id,\n"
    "              a.name, a.customer_id, a.simulator_id,\n"
    "              " SQL_SLOT("b.during") ", " SQL_SLOT("a.during") ")\n"
    "  FROM claim a\n"
    "  JOIN claim b ON b.simulator_id = a.simulator_id AND b.hold_id > a.hold_id\n"
    "  JOIN room ON room.simulator_id = a.simulator_id AND (room.capacity = 1 OR a.unit = b.unit)\n"
    " WHERE b.during && a.during OR lower(b.during) < upper(a.during) + room.gap\n"
    "                           AND lower(a.during) < upper(b.during) + room.gap\n"
    " ORDER BY a.hold_id, b.hold_id, a.name, b.name";

/* There are as many claims as ever at the instants at which one begins. */
static const char capacity[] =
    "WITH claim AS (\n" SQL_LIVE_CLAIMS "),\n"
    "room AS (" SQL_ROOM ")\n"
    "SELECT format('simulator %s has room for %s, but at %s there are %s: %s', simulator_id,\n"
    "              capacity, to_char(instant AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), claims,\n"
    "              names)\n"
    "  FROM (SELECT DISTINCT simulator_id, lower(during) AS instant FROM claim) begin\n"
    "  JOIN room USING (simulator_id)\n"
    " CROSS JOIN LATERAL (\n"
    "    SELECT count(*) AS claims,\n"
    "           string_agg(name || ' of ' || customer_id, ', ' ORDER BY hold_id, name) AS names\n"
    "      FROM claim c\n"
    "     WHERE c.simulator_id = begin.simulator_id\n"
    "       AND (c.during @> begin.instant OR begin.instant >= upper(c.during)\n"
    "                                     AND begin.instant < upper(c.during) + room.gap)) at\n"
    " WHERE claims > capacity\n"
    " ORDER BY simulator_id, instant";

static const char one_booking_per_payment[] =
    "SELECT format('payment %s made bookings %s', payment_id,\n"
    "              string_agg(id::text, ' and ' ORDER BY id))\n"
    "  FROM booking.booking GROUP BY payment_id HAVING count(*) > 1\n"
    " UNION ALL\n"
    "SELECT format('hold %s has live bookings %s', hold_id,\n"
    "              string_agg(id::text, ' and ' ORDER BY id))\n"
    "  FROM booking.booking WHERE status = 'CONFIRMED' GROUP BY hold_id HAVING count(*) > 1\n"
    " ORDER BY 1";

/* A refund that is durably asked for is on its way; liveness sees to it that it gets there.  When
 * the provider has made it, the row may still say that it is asked for. */
#define SQL_TO_COME(refund)                                                                 \
    refund ".status = 'REQUESTED' AND NOT EXISTS (SELECT FROM history made\n"               \
           "         WHERE made.kind = 'refund' AND made.data->>'key' = " refund ".idempotency_key)"

/* Where a part could not be given back, its case stands beside the booking. */
static const char every_payment_settles[] =
    "WITH ending AS (\n"
    "  SELECT data->>'payment' AS payment, data->>'customer' AS customer,\n"
    "         data->>'currency' AS currency, kind AS how, (data->>'amount')::bigint AS amount\n"
    "    FROM history WHERE kind IN ('capture', 'refund')\n"
    "   UNION ALL\n"
    "  SELECT payment_id, NULL, NULL, 'booking', 1\n"
    "    FROM booking.booking WHERE status = 'CONFIRMED'\n"
    "   UNION ALL\n"
    "  SELECT payment_id, NULL, NULL, 'case', amount_minor\n"
    "    FROM booking.manual_case WHERE status = 'OPEN'\n"
    "   UNION ALL\n"
    "  SELECT payment_id, NULL, NULL, 'asked', amount_minor FROM booking.refund r\n"
    "   WHERE " SQL_TO_COME("r") "),\n"
    "payment AS (\n"
    "  SELECT payment, max(customer) AS customer, max(currency) AS currency,\n"
    "         sum(amount) FILTER (WHERE how = 'capture') AS captured,\n"
    "         sum(amount) FILTER (WHERE how = 'refund') AS refunded,\n"
    "         sum(amount) FILTER (WHERE how = 'asked') AS asked,\n"
    "         bool_or(how = 'booking') AS booked, bool_or(how = 'case') AS open,\n"
    "         sum(amount) FILTER (WHERE how = 'case') AS in_case\n"
    "    FROM ending GROUP BY payment)\n"
    "SELECT format('payment %s of %s (%s %s) ended in %s', payment, customer, captured, currency,\n"
    "              coalesce(nullif(concat_ws(' and ', CASE WHEN booked THEN 'a booking' END,\n"
    "                                        'refunds of ' || refunded,\n"
    "                                        'a refund of ' || asked || ' to come',\n"
    "                                        CASE WHEN open THEN 'a manual case' END), ''),\n"
    "                       'nothing'))\n"
    "  FROM payment\n"
    " WHERE captured > 0\n"
    "   AND booked::int + (open AND NOT (booked AND in_case < captured))::int\n"
    "       + (coalesce(refunded, 0) + coalesce(asked, 0) >= captured)::int <> 1\n"
    " ORDER BY payment";

static const char money_conserved[] =
    "WITH money AS (\n"
    "  SELECT data->>'payment' AS payment, data->>'currency' AS currency, kind AS side,\n"
    "         (data->>'amount')::bigint AS amount\n"
    "    FROM history WHERE kind IN ('capture', 'refund')\n"
    "   UNION ALL\n"
    "  SELECT payment_id, currency, 'booked', amount_minor\n"
    "    FROM booking.booking WHERE status = 'CONFIRMED'\n"
    "   UNION ALL\n"
    "  SELECT payment_id, currency, 'open', amount_minor\n"
    "    FROM booking.manual_case WHERE status = 'OPEN'\n"
    "   UNION ALL\n"
    "  SELECT payment_id, currency, 'asked', amount_minor FROM booking.refund r\n"
    "   WHERE " SQL_TO_COME("r") "),\n"
    "account AS (\n"
    "  SELECT payment, currency,\n"
    "         coalesce(sum(amount) FILTER (WHERE side = 'capture'), 0) AS captured,\n"
    "         coalesce(sum(amount) FILTER (WHERE side = 'refund'), 0) AS refunded,\n"
    "         coalesce(sum(amount) FILTER (WHERE side = 'booked'), 0) AS booked,\n"
    "         coalesce(sum(amount) FILTER (WHERE side = 'open'), 0) AS open,\n"
    "         coalesce(sum(amount) FILTER (WHERE side = 'asked'), 0) AS asked\n"
    "    FROM money GROUP BY payment, currency)\n"
    "SELECT format('payment %s: captured %s, refunded %s, booked for %s, in open cases %s (%s)',\n"
    "              payment, captured, refunded + asked, booked, open, currency)\n"
    "  FROM account\n"
    " WHERE captured - refunded - asked <> booked + open OR refunded > captured\n"
    " UNION ALL\n"
    "SELECT format('payment %s: refunds of %s are noted as done, but %s were made', r.payment_id,\n"
    "              r.done, coalesce(a.refunded, 0))\n"
    "  FROM (SELECT payment_id, currency, sum(amount_minor) AS done FROM booking.refund\n"
    "         WHERE status = 'DONE' GROUP BY payment_id, currency) r\n"
    "  LEFT JOIN account a ON a.payment = r.payment_id AND a.currency = r.currency\n"
    " WHERE r.done > coalesce(a.refunded, 0)\n"
    " ORDER BY 1";

static const char ownership[] =
    "WITH RECURSIVE " SQL_LINES "\n"
    "SELECT format('booking %s is %s''s, hold %s is %s''s, payment %s is %s''s for hold %s',\n"
    "              b.id, b.customer_id, h.id, h.customer_id, b.payment_id,\n"
    "              coalesce(c.data->>'customer', 'nobody'), coalesce(c.data->>'hold', 'none'))\n"
    "  FROM booking.booking b\n"
    "  JOIN booking.temp_booking h ON h.id = b.hold_id\n"
    "  LEFT JOIN history c ON c.kind = 'capture' AND c.data->>'payment' = b.payment_id\n"
    " WHERE b.customer_id <> h.customer_id OR c.data->>'customer' <> b.customer_id\n"
    "    OR NOT EXISTS (SELECT FROM line l WHERE l.origin = (c.data->>'hold')::bigint\n"
    "                      AND l.hold_id = b.hold_id) AND c.data IS NOT NULL\n"
    " UNION ALL\n"
    "SELECT format('mail %s (%s) about hold %s of %s went to %s', o.id, o.kind, h.id,\n"
    "              h.customer_id, o.customer_id)\n"
    "  FROM booking.outbox o JOIN booking.temp_booking h ON h.id = o.hold_id\n"
    " WHERE o.customer_id <> h.customer_id\n"
    " UNION ALL\n"
    "SELECT format('%s was told of booking %s, which is %s''s', a.data->>'customer', b.id,\n"
    "              b.customer_id)\n"
    "  FROM history a JOIN booking.booking b ON b.id = (a.data->>'booking')::bigint\n"
    " WHERE a.kind = 'answer' AND a.data->>'action' = 'return' AND a.data->>'status' = 'ok'\n"
    "   AND a.data->>'customer' <> b.customer_id\n"
    " UNION ALL\n"
    "SELECT format('mail %s confirms hold %s, which was never confirmed', o.id, o.hold_id)\n"
    "  FROM booking.outbox o\n"
    " WHERE o.kind = 'confirmation'\n"
    "   AND NOT EXISTS (SELECT FROM booking.transition t\n"
    "                    WHERE t.hold_id = o.hold_id AND t.to_status = 'CONFIRMED')\n"
    " ORDER BY 1";

/* What was decided is visible in the transition itself: it is written in the statement that
 * decides. */
static const char no_expired_confirm[] =
    "SELECT format('hold %s was confirmed at %s, but had expired at %s', hold_id,\n"
    "              to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),\n"
    "              to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))\n"
    "  FROM booking.transition\n"
    " WHERE to_status = 'CONFIRMED' AND at >= expires_at\n"
    " ORDER BY id";

/* An expired hold may be reserved again only on its way to an end, not to wait once more. */
static const char legal_transitions[] =
    "WITH edge AS (\n"
    "  SELECT id, hold_id, from_status, to_status,\n"
    "         lag(to_status) OVER (PARTITION BY hold_id ORDER BY id) AS before,\n"
    "         lead(id) OVER (PARTITION BY hold_id ORDER BY id) IS NULL AS last\n"
    "    FROM booking.transition)\n"
    "SELECT format('hold %s went from %s to %s', e.hold_id, coalesce(e.from_status, 'nothing'),\n"
    "              e.to_status)\n"
    "  FROM edge e\n"
    " WHERE (coalesce(e.from_status, 'NONE'), e.to_status) NOT IN (\n"
    "         ('NONE', 'RESERVED'), ('RESERVED', 'CONFIRMED'), ('RESERVED', 'EXPIRED'),\n"
    "         ('RESERVED', 'CANCELLED'), ('CONFIRMED', 'CANCELLED'), ('EXPIRED', 'RESERVED'),\n"
    "         ('EXPIRED', 'REFUNDED'), ('CANCELLED', 'REFUNDED'))\n"
    "    OR e.from_status IS DISTINCT FROM e.before\n"
    "    OR e.last AND e.from_status = 'EXPIRED' AND e.to_status = 'RESERVED'\n"
    " UNION ALL\n"
    "SELECT format('hold %s was last seen to become %s, but is %s', e.hold_id, e.to_status,\n"
    "              coalesce(h.status, 'gone'))\n"
    "  FROM edge e LEFT JOIN booking.temp_booking h ON h.id = e.hold_id\n"
    " WHERE e.last AND e.to_status IS DISTINCT FROM h.status\n"
    " UNION ALL\n"
    "SELECT format('hold %s expired at %s, before its time, %s', hold_id,\n"
    "              to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),\n"
    "              to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))\n"
    "  FROM booking.transition WHERE to_status = 'EXPIRED' AND at < expires_at\n"
    " ORDER BY 1";

static const char effects_once[] =
    "SELECT format('hold %s: %s mails of the kind %s', hold_id, count(*), kind)\n"
    "  FROM booking.outbox GROUP BY hold_id, kind\n"
    "HAVING count(*) > greatest(1, count(DISTINCT transition_id))\n"
    " UNION ALL\n"
    "SELECT format('payment %s was captured %s times', data->>'payment', count(*))\n"
    "  FROM history WHERE kind = 'capture' GROUP BY data->>'payment' HAVING count(*) > 1\n"
    " ORDER BY 1";

static const char acknowledged_means_done[] =
    "SELECT format('event %s was answered %s, but nothing came of payment %s',\n"
    "              a.data->>'event', a.data->>'http', a.data->>'payment')\n"
    "  FROM history a\n"
    "  JOIN history c ON c.kind = 'capture' AND c.data->>'payment' = a.data->>'payment'\n"
    " WHERE a.kind = 'answer' AND a.data->>'action' = 'webhook'\n"
    "   AND a.data->>'type' = 'payment.succeeded' AND a.data->>'http' LIKE '2%'\n"
    "   AND NOT EXISTS (SELECT FROM booking.booking b WHERE b.payment_id = a.data->>'payment')\n"
    "   AND NOT EXISTS (SELECT FROM booking.refund r WHERE r.payment_id = a.data->>'payment')\n"
    "   AND NOT EXISTS (SELECT FROM booking.manual_case m\n"
    "                    WHERE m.payment_id = a.data->>'payment')\n"
    "   AND NOT EXISTS (SELECT FROM history r WHERE r.kind = 'refund'\n"
    "                    AND r.data->>'payment' = a.data->>'payment')\n"
    " UNION ALL\n"
    "SELECT format('event %s is marked as seen, but its outcome is still pending', event_id)\n"
    "  FROM booking.event WHERE outcome = 'PENDING'\n"
    " ORDER BY 1";

/* Each answer "ok" against what it promises; and no more holds than requests that may have made
 * one. */
static const char no_acknowledged_loss[] =
    "WITH RECURSIVE " SQL_LINES "\n"
    "SELECT format('%s was told \"ok\" to %s (%s), but %s', coalesce(a.client, 'somebody'),\n"
    "              a.data->>'action',\n"
    "              concat_ws(', ', 'hold ' || (a.data->>'hold'),\n"
    "                        'booking ' || (a.data->>'booking'), a.data->>'payment'),\n"
    "              lost.what)\n"
    "  FROM history a\n"
    "  LEFT JOIN booking.temp_booking h ON h.id = (a.data->>'hold')::bigint\n"
    "  LEFT JOIN booking.booking b ON b.id = (a.data->>'booking')::bigint\n"
    " CROSS JOIN LATERAL (SELECT CASE\n"
    "    WHEN a.data->>'action' = 'hold' AND h.id IS NULL THEN 'there is no such hold'\n"
    "    WHEN a.data->>'action' = 'hold' AND h.customer_id <> a.data->>'customer'\n"
    "      THEN 'the hold is ' || h.customer_id || '''s'\n"
    "    WHEN a.data->>'action' = 'pay' AND NOT EXISTS (\n"
    "           SELECT FROM history c\n"
    "            WHERE c.kind = 'capture' AND c.data->>'payment' = a.data->>'payment')\n"
    "      THEN 'nothing was captured'\n"
    "    WHEN a.data->>'action' IN ('return', 'webhook') AND a.data->>'booking' IS NOT NULL\n"
    "         AND b.id IS NULL THEN 'there is no such booking'\n"
    "    WHEN a.data->>'action' = 'cancel' THEN (\n"
    "           SELECT min('hold ' || l.hold_id || ' is ' || n.status)\n"
    "             FROM line l JOIN booking.temp_booking n ON n.id = l.hold_id\n"
    "            WHERE l.origin = h.id AND n.status IN ('RESERVED', 'CONFIRMED'))\n"
    "    WHEN a.data->>'action' = 'refund' AND NOT EXISTS (\n"
    "           SELECT FROM history r WHERE r.kind = 'refund'\n"
    "              AND r.data->>'payment' = a.data->>'payment'\n"
    "              AND r.data->>'amount' = a.data->>'amount')\n"
    "         AND NOT EXISTS (SELECT FROM booking.refund r\n"
    "                          WHERE r.payment_id = a.data->>'payment'\n"
    "                            AND r.amount_minor = (a.data->>'amount')::bigint)\n"
    "      THEN 'nothing was given back'\n"
    "    WHEN a.data->>'action' = 'reschedule' AND h.id IS NULL THEN 'there is no such hold'\n"
    "    WHEN a.data->>'action' = 'reschedule' AND EXISTS (\n"
    "           SELECT FROM booking.temp_booking o WHERE o.id = (a.data->>'old')::bigint\n"
    "              AND o.status IN ('RESERVED', 'CONFIRMED')) THEN 'the old one is live'\n"
    "    END AS what) AS lost\n"
    " WHERE a.kind = 'answer' AND a.data->>'status' = 'ok' AND lost.what IS NOT NULL\n"
    " UNION ALL\n"
    "SELECT format('%s was answered %s to a series of %s, and has %s of it',\n"
    "              coalesce(a.client, 'somebody'), a.data->>'status', a.data->>'times', s.held)\n"
    "  FROM history a\n"
    " CROSS JOIN LATERAL (SELECT count(*) AS held FROM booking.temp_booking h\n"
    "                      WHERE to_jsonb(h) ->> 'series_id' = a.data->>'series') s\n"
    " WHERE a.kind = 'answer' AND a.data->>'action' = 'series'\n"
    "   AND s.held <> CASE a.data->>'status' WHEN 'ok' THEN (a.data->>'times')::bigint ELSE 0 END\n"
    " UNION ALL\n"
    "SELECT format('%s has %s of simulator %s, %s, by %s that can have made one', h.customer_id,\n"
    "              h.held || CASE h.held WHEN 1 THEN ' hold' ELSE ' holds' END, h.simulator_id,\n"
    "              " SQL_SLOT("h.during") ",\n"
    "              r.asked || CASE r.asked WHEN 1 THEN ' request' ELSE ' requests' END)\n"
    "  FROM (SELECT customer_id, simulator_id, during, count(*) AS held\n"
    "          FROM booking.temp_booking n WHERE to_jsonb(n) ->> 'series_id' IS NULL\n"
    "         GROUP BY customer_id, simulator_id, during) h\n"
    " CROSS JOIN LATERAL (\n"
    "    SELECT count(*) AS known,\n"
    "           count(*) FILTER (WHERE coalesce(\n"
    "             (SELECT a.data->>'status' FROM history a\n"
    "               WHERE a.kind = 'answer' AND a.client IS NOT DISTINCT FROM q.client\n"
    "                 AND a.seq > q.seq ORDER BY a.seq LIMIT 1), 'unknown')\n"
    "             IN ('ok', 'error', 'crashed', 'retry-later', 'unknown')) AS asked\n"
    "      FROM history q\n"
    "     WHERE q.kind = 'request' AND q.data->>'action' IN ('hold', 'reschedule')\n"
    "       AND q.data->>'customer' = h.customer_id\n"
    "       AND (q.data->>'simulator')::bigint = h.simulator_id\n"
    "       AND (q.data->>'from')::timestamptz = lower(h.during)\n"
    "       AND (q.data->>'to')::timestamptz = upper(h.during)) r\n"
    " WHERE r.known > 0 AND h.held > r.asked\n"
    " ORDER BY 1";

static const char reschedule_lineage[] =
    "WITH RECURSIVE " SQL_LINES ",\n"
    "claim AS (\n" SQL_LIVE_CLAIMS ")\n"
    "SELECT format('hold %s of %s was moved and is live %s times: %s', l.origin,\n"
    "              min(c.customer_id), count(*), string_agg(c.name, ', ' ORDER BY c.hold_id))\n"
    "  FROM line l JOIN claim c USING (hold_id)\n"
    " WHERE l.origin IN (SELECT id FROM booking.temp_booking h\n"
    "                     WHERE to_jsonb(h) ->> 'rescheduled_from' IS NULL)\n"
    " GROUP BY l.origin HAVING count(*) > 1\n"
    " ORDER BY l.origin";

/* A claim excuses a conflict when it was live at some instant between request and answer, by the
 * clock; unless the history shows that it was asked for after the answer, or given up before the
 * request.  It takes as many as there are units to excuse one; the hold that is to be moved, or
 * that was paid for too late, excuses nothing. */
static const char no_spurious_rejection[] =
    "WITH refused AS (\n"
    "  SELECT a.seq AS answered, r.seq AS asked, own.id AS own,\n"
    "         coalesce(a.client, r.data->>'customer', 'somebody') AS who,\n"
    "         coalesce((r.data->>'simulator')::bigint, own.simulator_id) AS simulator_id,\n"
    "         coalesce((r.data->>'from')::timestamptz, lower(own.during)) AS begins,\n"
    "         coalesce((r.data->>'to')::timestamptz, upper(own.during)) AS ends,\n"
    "         least((r.data->>'at')::timestamptz, (a.data->>'at')::timestamptz) AS earliest,\n"
    "         greatest((r.data->>'at')::timestamptz, (a.data->>'at')::timestamptz) AS latest\n"
    "    FROM history a\n"
    "   CROSS JOIN LATERAL (SELECT q.seq, q.data FROM history q\n"
    "     WHERE q.kind = 'request' AND q.client IS NOT DISTINCT FROM a.client AND q.seq < a.seq\n"
    "     ORDER BY q.seq DESC LIMIT 1) r\n"
    "    LEFT JOIN booking.temp_booking own\n"
    "      ON own.id = coalesce(r.data->>'old', CASE a.data->>'reason' WHEN 'slot-retaken'\n"
    "                                           THEN a.data->>'hold' END)::bigint\n"
    "   WHERE a.kind = 'answer'\n"
    "     AND (a.data->>'action' = 'hold' AND a.data->>'status' = 'conflict'\n"
    "       OR a.data->>'action' = 'reschedule' AND a.data->>'reason' = 'slot-taken'\n"
    "       OR a.data->>'action' IN ('webhook', 'return')\n"
    "          AND a.data->>'reason' = 'slot-retaken')),\n"
    "room AS (" SQL_ROOM "),\n"
    "life AS (\n"
    "  SELECT hold_id, min(at) AS made, bool_or(to_status = 'CONFIRMED') AS confirmed,\n"
    "         max(at) FILTER (WHERE to_status IN ('CANCELLED', 'REFUNDED')) AS given_up\n"
    "    FROM booking.transition GROUP BY hold_id)\n"
    "SELECT format('%s was refused simulator %s, %s to %s, which nobody had', f.who,\n"
    "              f.simulator_id, " SQL_INSTANT("f.begins") ", " SQL_INSTANT("f.ends") ")\n"
    "  FROM refused f JOIN room USING (simulator_id)\n"
    " WHERE room.capacity > (\n"
    "   SELECT count(*) FROM life l JOIN booking.temp_booking h ON h.id = l.hold_id\n"
    "    WHERE h.simulator_id = f.simulator_id AND h.id IS DISTINCT FROM f.own\n"
    "      AND lower(h.during) < f.ends + room.gap AND upper(h.during) + room.gap > f.begins\n"
    "      AND l.made <= f.latest\n"
    "      AND (l.given_up IS NULL OR l.given_up >= f.earliest)\n"
    "      AND (l.confirmed OR h.expires_at > f.earliest)\n"
    "      AND NOT EXISTS (\n"
    "        SELECT FROM history a WHERE a.kind = 'answer' AND a.data->>'status' = 'ok'\n"
    "           AND (a.data->>'action' = 'cancel' AND (a.data->>'hold')::bigint = h.id\n"
    "                AND a.seq < f.asked\n"
    "             OR a.data->>'action' = 'reschedule' AND (a.data->>'old')::bigint = h.id\n"
    "                AND a.seq < f.asked\n"
    "             OR a.data->>'action' IN ('hold', 'reschedule')\n"
    "                AND (a.data->>'hold')::bigint = h.id AND f.answered < (\n"
    "                  SELECT max(q.seq) FROM history q WHERE q.kind = 'request'\n"
    "                     AND q.client IS NOT DISTINCT FROM a.client AND q.seq < a.seq))))\n"
    " ORDER BY f.answered";

/* A cleanup skips what others are deciding about, so only one that ran alone owes anything: all
 * requests that came before its answer, but its own, were answered before it was asked. */
static const char liveness[] =
    "WITH cleanup AS (\n"
    "  SELECT a.seq, asked.at\n"
    "    FROM history a\n"
    "   CROSS JOIN LATERAL (SELECT q.seq, (q.data->>'at')::timestamptz AS at FROM history q\n"
    "     WHERE q.kind = 'request' AND q.client IS NOT DISTINCT FROM a.client AND q.seq < a.seq\n"
    "     ORDER BY q.seq DESC LIMIT 1) asked\n"
    "   WHERE a.kind = 'answer' AND a.data->>'action' = 'cleanup' AND a.data->>'status' = 'ok'\n"
    "     AND (SELECT count(*) FILTER (WHERE o.kind = 'request' AND o.seq < a.seq)\n"
    "               - count(*) FILTER (WHERE o.kind = 'answer' AND o.seq < asked.seq)\n"
    "            FROM history o) = 1)\n"
    "SELECT format('%s: %s', coalesce(client, 'the run'), coalesce(data->>'why', 'stuck'))\n"
    "  FROM history WHERE kind = 'stuck'\n"
    " UNION ALL\n"
    "SELECT format('hold %s expired at %s and is still RESERVED after a cleanup', h.id,\n"
    "              to_char(h.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))\n"
    "  FROM booking.temp_booking h\n"
    " WHERE h.status = 'RESERVED'\n"
    "   AND EXISTS (SELECT FROM cleanup c WHERE c.at >= h.expires_at)\n"
    " UNION ALL\n"
    "SELECT format('the refund of payment %s is still only asked for after a cleanup',\n"
    "              r.payment_id)\n"
    "  FROM booking.refund r\n"
    " WHERE r.status = 'REQUESTED'\n"
    "   AND EXISTS (SELECT FROM cleanup c WHERE NOT EXISTS (\n"
    "         SELECT FROM history e\n"
    "          WHERE (e.seq > c.seq OR e.data->>'result' = 'unknown')\n"
    "            AND (e.data->>'payment' = r.payment_id OR e.data->>'hold' = r.hold_id::text)))\n"
    " ORDER BY 1";

static const char sane_ranges[] =
    "SELECT format('%s %s is for %s', name, id, coalesce(during::text, 'no time'))\n"
    "  FROM (SELECT 'booking' AS name, id, during FROM booking.booking\n"
    "         UNION ALL SELECT 'hold', id, during FROM booking.temp_booking) claim\n"
    " WHERE during IS NULL OR isempty(during) OR lower(during) IS NULL OR upper(during) IS NULL\n"
    "    OR NOT isfinite(lower(during)) OR NOT isfinite(upper(during))\n"
    " UNION ALL\n"
    "SELECT format('booking %s is for simulator %s, %s, its hold for simulator %s, %s', b.id,\n"
    "              b.simulator_id, b.during, h.simulator_id, h.during)\n"
    "  FROM booking.booking b JOIN booking.temp_booking h ON h.id = b.hold_id\n"
    " WHERE b.during <> h.during OR b.simulator_id <> h.simulator_id\n"
    " UNION ALL\n"
    "SELECT format('hold %s lasts %s, but %s was asked for', h.id,\n"
    "              upper(h.during) - lower(h.during),\n"
    "              (a.data->>'to')::timestamptz - (a.data->>'from')::timestamptz)\n"
    "  FROM history a JOIN booking.temp_booking h ON h.id = (a.data->>'hold')::bigint\n"
    " WHERE a.kind = 'answer' AND a.data->>'action' IN ('hold', 'reschedule')\n"
    "   AND a.data->>'status' = 'ok'\n"
    "   AND upper(h.during) - lower(h.during)\n"
    "       <> (a.data->>'to')::timestamptz - (a.data->>'from')::timestamptz\n"
    " UNION ALL\n"
    "SELECT format('series %s has a hold at %s on the wall for %s, not at %s for %s',\n"
    "              o.series, o.starts, o.lasts, o.wanted, o.long)\n"
    "  FROM (SELECT a.data->>'series' AS series,\n"
    "               lower(h.during) AT TIME ZONE (to_jsonb(s) ->> 'zone') AS starts,\n"
    "               upper(h.during) - lower(h.during) AS lasts,\n"
    "               (a.data->>'from')::timestamp + (a.data->>'every')::int * interval '1 day'\n"
    "               * (row_number() OVER (PARTITION BY a.seq ORDER BY h.during) - 1) AS wanted,\n"
    "               (a.data->>'to')::timestamp - (a.data->>'from')::timestamp AS long\n"
    "          FROM history a\n"
    "          JOIN booking.temp_booking h ON to_jsonb(h) ->> 'series_id' = a.data->>'series'\n"
    "          JOIN booking.simulator s ON s.id = h.simulator_id\n"
    "         WHERE a.kind = 'answer' AND a.data->>'action' = 'series') o\n"
    " WHERE o.starts <> o.wanted OR o.lasts <> o.long\n"
    " ORDER BY 1";

/* After a call without an answer: the same call of the same payment; or any other of its kind
 * within the request, since one request pays once.  A cleanup makes many refunds. */
static const char stable_keys[] =
    "SELECT format('%s of %s was repeated with %s after %s had no answer', c.data->>'operation',\n"
    "              coalesce(c.data->>'payment', 'a payment'),\n"
    "              coalesce('key ' || (c.data->>'key'), 'no key'),\n"
    "              coalesce('key ' || (u.data->>'key'), 'a call without a key'))\n"
    "  FROM history u\n"
    "  JOIN history c ON c.kind = 'call' AND c.seq > u.seq\n"
    "               AND c.data->>'operation' = u.data->>'operation'\n"
    " WHERE u.kind = 'call' AND u.data->>'result' = 'unknown'\n"
    "   AND (c.data->>'key' IS NULL OR c.data->>'key' IS DISTINCT FROM u.data->>'key')\n"
    "   AND NOT EXISTS (SELECT FROM booking.refund r WHERE r.idempotency_key = c.data->>'key'\n"
    "                    AND c.data->>'operation' = 'refund' AND u.data->>'key' IS NOT NULL)\n"
    "   AND (c.data->>'payment' = u.data->>'payment'\n"
    "     OR u.data->>'operation' <> 'refund' AND c.client IS NOT DISTINCT FROM u.client\n"
    "        AND NOT EXISTS (SELECT FROM history a\n"
    "                         WHERE a.kind = 'answer' AND a.client IS NOT DISTINCT FROM u.client\n"
    "                           AND a.seq BETWEEN u.seq AND c.seq))\n"
    " ORDER BY u.seq, c.seq";

static const char honest_metrics[] =
    "SELECT format('%s double bookings were counted, %s requests lost a race',\n"
    "              m.data->>'lost_races', lost.races)\n"
    "  FROM history m\n"
    " CROSS JOIN (SELECT count(*) AS races FROM history\n"
    "              WHERE kind = 'answer' AND (data->>'lost_race')::boolean) lost\n"
    " WHERE m.kind = 'metrics' AND (m.data->>'lost_races')::bigint <> lost.races\n"
    " UNION ALL\n"
    "SELECT format('%s was refused a hold, which was not counted', coalesce(client, 'somebody'))\n"
    "  FROM history\n"
    " WHERE kind = 'answer' AND data->>'status' = 'conflict'\n"
    "   AND (data->>'action' = 'hold'\n"
    "     OR data->>'action' = 'reschedule' AND data->>'reason' = 'slot-taken')\n"
    "   AND NOT coalesce((data->>'lost_race')::boolean, false)\n"
    " ORDER BY 1";

/* clang-format on */

static const struct ob_invariant invariants[] = {
    {"no-overlap", "I1", "No two live claims of one simulator overlap.", no_overlap},
    {"capacity", "I2", "At no instant has a simulator more live claims than it has room for.",
     capacity},
    {"one-booking-per-payment", "I3", "A payment makes one booking, a hold has one live booking.",
     one_booking_per_payment},
    {"every-payment-settles", "I4",
     "Every captured payment ends in exactly one of a booking, a full refund, an open case.",
     every_payment_settles},
    {"money-conserved", "I5",
     "What was captured and not refunded pays for live bookings or lies in open cases.",
     money_conserved},
    {"ownership", "I6",
     "Payment, hold and booking belong to one customer; mails go to the owner of what they "
     "confirm.",
     ownership},
    {"no-expired-confirm", "I7", "No hold is confirmed after it expired.", no_expired_confirm},
    {"legal-transitions", "I8",
     "Holds move along legal edges only, none expires early, and they stay where they ended.",
     legal_transitions},
    {"effects-once", "I9", "Each transition mails once, each payment is captured once.",
     effects_once},
    {"acknowledged-means-done", "I10",
     "An event that was answered with success has had its effect.", acknowledged_means_done},
    {"no-acknowledged-loss", "I11",
     "What a client was told is in the database; what was left open happened once or not at all.",
     no_acknowledged_loss},
    {"reschedule-lineage", "I12", "Of a booking and all that it was moved to, one is live at most.",
     reschedule_lineage},
    {"no-spurious-rejection", "I13",
     "A hold is refused only while somebody has a part of the slot.", no_spurious_rejection},
    {"liveness", "I14",
     "Nobody waits for ever; a cleanup leaves no expired hold and no refund to be made.", liveness},
    {"sane-ranges", "I15", "Ranges are finite, not empty, and as long as was asked for.",
     sane_ranges},
    {"stable-keys", "I16", "A call to the provider is repeated under the same idempotency key.",
     stable_keys},
    {"honest-metrics", "I17", "The counter of attempted double bookings counts each lost race.",
     honest_metrics},
};

const struct ob_invariant *ob_invariant_builtin(size_t *count)
{
    *count = sizeof invariants / sizeof *invariants;
    return invariants;
}

const struct ob_invariant *ob_invariant_find(const char *name)
{
    for (size_t i = 0; i < sizeof invariants / sizeof *invariants; i++) {
        if (strcmp(invariants[i].name, name) == 0)
            return &invariants[i];
    }
    return NULL;
}

/* planted_rows.c - see planted.h.  What the rows show, and the provider's books. */
#include "planted_text.h"

const struct planted planted_rows[] = {
    {.name = "an_empty_database_and_history_pass", .rows = ""},

    /* no-overlap */
    {.name = "two_overlapping_bookings_are_caught",
     .invariant = "no-overlap",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1")
         BOOKED("2", "2", "bob", "10:30", "11:30", "pay_2"),
     .broken = "booking 2 of bob overlaps booking 1 of alice on simulator 1: "
               "2026-06-01 10:30 to 11:30, 2026-06-01 10:00 to 11:00"},
    {.name = "a_hold_over_a_booking_is_caught",
     .invariant = "no-overlap",
     .rows =
         BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1") HOLD("2", "bob", "10:59", "12:00"),
     .broken = "hold 2 of bob overlaps booking 1 of alice on simulator 1: "
               "2026-06-01 10:59 to 12:00, 2026-06-01 10:00 to 11:00"},
    {.name = "two_live_holds_are_caught",
     .invariant = "no-overlap",
     .rows = HOLD("1", "alice", "10:00", "11:00") HOLD("2", "bob", "10:00", "11:00"),
     .broken = "hold 2 of bob overlaps hold 1 of alice on simulator 1: "
               "2026-06-01 10:00 to 11:00, 2026-06-01 10:00 to 11:00"},
    {.name = "a_live_booking_whose_hold_was_expired_is_still_a_claim",
     .invariant = "no-overlap",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1") MOVE("1", "EXPIRED")
         HOLD("2", "bob", "10:00", "11:00"),
     .broken = "hold 2 of bob overlaps booking 1 of alice on simulator 1: "
               "2026-06-01 10:00 to 11:00, 2026-06-01 10:00 to 11:00"},
    {.name = "holds_that_touch_pass",
     .rows = HOLD("1", "alice", "10:00", "11:00") HOLD("2", "bob", "11:00", "12:00")},
    {.name = "holds_of_two_simulators_pass",
     .rows = HOLD("1", "alice", "10:00", "11:00")
         HOLD("2", "bob", "10:00",
              "11:00") "UPDATE booking.temp_booking SET simulator_id = 2 WHERE id = 2;"},
    {.name = "a_hold_over_an_expired_one_passes",
     .rows = HOLD("1", "alice", "10:00", "11:00")
         CLOCK("09:15") "INSERT INTO booking.temp_booking (id, simulator_id, customer_id, during, "
                        "expires_at,"
                        " amount_minor, currency) SELECT 2, 1, 'bob', during, '2026-06-01 "
                        "09:30+00', 9000, 'EUR'"
                        " FROM booking.temp_booking WHERE id = 1;"},

    {.name = "a_hold_over_one_that_is_confirmed_and_not_booked_yet_is_caught",
     .invariant = "no-overlap",
     .rows = HOLD("1", "alice", "10:00", "11:00") MOVE("1", "CONFIRMED")
         HOLD("2", "bob", "10:00", "11:00"),
     .broken = "hold 2 of bob overlaps hold 1 of alice on simulator 1: "
               "2026-06-01 10:00 to 11:00, 2026-06-01 10:00 to 11:00"},
    {.name = "a_hold_over_a_cancelled_booking_passes",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1") MOVE("1", "CANCELLED")
         MOVE("1", "REFUNDED") "UPDATE booking.booking SET status = 'CANCELLED';" REFUND(
             "pay_1", "1", "DONE") HOLD("2", "bob", "10:00", "11:00"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "refund", CAPTURE("pay_1", "alice", "1")}}},
    {.name = "a_claim_without_end_over_another_is_caught",
     .invariant = "no-overlap",
     .rows = HOLD("1", "alice", "10:00", "11:00")
         HOLD("2", "bob", "08:00", "09:00") "UPDATE booking.temp_booking SET during ="
                                            " '[2026-06-01 10:30+00,)' WHERE id = 2;",
     .broken = "hold 2 of bob overlaps hold 1 of alice on simulator 1: "
               ", 2026-06-01 10:00 to 11:00"},

    {.name = "two_bookings_of_one_unit_are_caught",
     .invariant = "no-overlap",
     .rows = ROOM("3") BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1")
         BOOKED("2", "2", "bob", "10:30", "11:30",
                "pay_2") "UPDATE booking.booking SET unit = 1 WHERE id = 2;",
     .broken = "booking 2 of bob overlaps booking 1 of alice on simulator 1: "
               "2026-06-01 10:30 to 11:30, 2026-06-01 10:00 to 11:00"},

    {.name = "a_claim_within_the_time_between_two_is_caught",
     .invariant = "no-overlap",
     .rows = BUFFERS("600", "300") HOLD("1", "alice", "10:00", "11:00")
         HOLD("2", "bob", "11:14", "12:00"),
     .broken = "hold 2 of bob overlaps hold 1 of alice on simulator 1: "
               "2026-06-01 11:14 to 12:00, 2026-06-01 10:00 to 11:00"},
    {.name = "claims_with_the_time_between_them_pass",
     .rows = BUFFERS("600", "300") HOLD("1", "alice", "10:00", "11:00")
         HOLD("2", "bob", "11:15", "12:00") HOLD("3", "carol", "08:45", "09:45")},

    /* capacity */
    {.name = "a_claim_within_the_time_between_with_no_unit_to_spare_is_caught",
     .invariant = "capacity",
     .rows = ROOM("2") BUFFERS("0", "900") HOLD("1", "alice", "10:00", "11:00")
         HOLD("2", "bob", "10:00", "11:05") HOLD("3", "carol", "11:14", "12:00"),
     .broken = "simulator 1 has room for 2, but at 2026-06-01 11:14 there are 3: "
               "hold 1 of alice, hold 2 of bob, hold 3 of carol"},
    {.name = "more_claims_than_there_is_room_for_are_caught",
     .invariant = "capacity",
     .rows = ROOM("2") BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1")
         HOLD("2", "bob", "10:30", "11:30") HOLD("3", "carol", "10:59", "12:00"),
     .broken = "simulator 1 has room for 2, but at 2026-06-01 10:59 there are 3: "
               "booking 1 of alice, hold 2 of bob, hold 3 of carol"},
    {.name = "two_claims_where_there_is_room_for_one_are_caught",
     .invariant = "capacity",
     .rows = HOLD("1", "alice", "10:00", "11:00") HOLD("2", "bob", "10:00", "11:00"),
     .broken = "simulator 1 has room for 1, but at 2026-06-01 10:00 there are 2: "
               "hold 1 of alice, hold 2 of bob"},
    {.name = "a_capacity_that_was_lowered_under_its_claims_is_caught",
     .invariant = "capacity",
     .rows = ROOM("2") HOLD("1", "alice", "10:00", "11:00") HOLD("2", "bob", "10:00", "11:00")
         ROOM("1"),
     .broken = "simulator 1 has room for 1, but at 2026-06-01 10:00 there are 2: "
               "hold 1 of alice, hold 2 of bob"},
    {.name = "three_claims_of_which_two_overlap_at_a_time_pass",
     .rows = ROOM("2") HOLD("1", "alice", "10:00", "11:00") HOLD("2", "bob", "11:00", "12:00")
         BOOKED("1", "3", "carol", "10:30", "11:30", "pay_1"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "carol", "3")}}},
    {.name = "a_claim_beside_one_that_is_over_passes",
     .rows = ROOM("2") HOLD("1", "alice", "10:00",
                            "11:00") "UPDATE booking.temp_booking SET expires_at = '2026-06-01 "
                                     "08:59+00';" MOVE("1", "EXPIRED")
                                         HOLD("2", "bob", "10:00", "11:00")
                                             BOOKED("1", "3", "carol", "10:00", "11:00", "pay_1"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "carol", "3")}}},

    /* one-booking-per-payment */
    {.name = "a_payment_that_made_two_bookings_is_caught",
     .invariant = "one-booking-per-payment",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1")
         BOOKING("2", "1", "pay_1") "UPDATE booking.booking SET status = 'CANCELLED' WHERE id = 2;",
     .broken = "payment pay_1 made bookings 1 and 2"},
    {.name = "a_hold_with_two_live_bookings_is_caught",
     .invariant = "one-booking-per-payment",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1") BOOKING("2", "1", "pay_2"),
     .broken = "hold 1 has live bookings 1 and 2"},

    /* the whole flow, as it should go */
    {.name = "a_booking_held_paid_and_confirmed_passes",
     .rows = BOOKED(
         "1", "1", "alice", "10:00", "11:00",
         "pay_1") "INSERT INTO booking.event (event_id, type, payment_id, object_id, outcome)"
                  " VALUES ('evt_1', 'payment.succeeded', 'pay_1', 'pay_1', 'CONFIRMED');",
     .events = {{ALICE, "request", ASKS_HOLD("alice", "10:00", "11:00", "09:00")},
                {ALICE, "answer",
                 ANSWERS_HOLD("alice", "10:00", "11:00", "09:00",
                              "\"status\":\"ok\",\"hold\":1,\"lost_race\":false")},
                {ALICE, "call", CALL("capture", "\"pay_1\"", "\"capture-pay_1\"", "unknown")},
                {ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "call", CALL("capture", "\"pay_1\"", "\"capture-pay_1\"", "ok")},
                {ALICE, "answer",
                 "{\"action\":\"pay\",\"status\":\"ok\",\"customer\":\"alice\",\"hold\":1,"
                 "\"payment\":\"pay_1\"}"},
                {HARNESS, "answer",
                 "{\"action\":\"webhook\",\"status\":\"ok\",\"http\":200,\"event\":\"evt_1\","
                 "\"type\":\"payment.succeeded\",\"payment\":\"pay_1\",\"hold\":1,\"booking\":1}"},
                {HARNESS, "metrics", "{\"lost_races\":0}"}}},
    {.name = "a_cancelled_and_refunded_booking_passes",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1") MOVE("1", "CANCELLED")
         MAIL("cancellation", "1", "alice")
             MOVE("1", "REFUNDED") "UPDATE booking.booking SET status = 'CANCELLED' WHERE id = "
                                   "1;" REFUND("pay_1", "1", "DONE"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "refund", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "answer",
                 "{\"action\":\"cancel\",\"status\":\"ok\",\"customer\":\"alice\",\"hold\":1}"}}},
    {.name = "a_refusal_of_the_provider_left_to_a_person_passes",
     .rows = HOLD("1", "alice", "10:00", "11:00") OVER("1") REFUND("pay_1", "1", "FAILED")
         CASE("pay_1", "1", "9000"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")}}},
    {.name = "a_case_that_was_closed_by_a_booking_does_not_count",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1")
         CASE("pay_1", "1", "9000") "UPDATE booking.manual_case SET status = 'CLOSED';",
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")}}},
    {.name = "a_payment_that_was_booked_and_left_to_a_person_is_caught",
     .invariant = "every-payment-settles",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1") CASE("pay_1", "1", "9000"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")}},
     .broken = "payment pay_1 of alice (9000 EUR) ended in a booking and a manual case"},
    {.name = "a_late_payment_that_was_refunded_passes",
     .rows = HOLD("1", "alice", "10:00", "11:00") OVER("1") MOVE("1", "REFUNDED")
         REFUND("pay_1", "1", "DONE"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "refund", CAPTURE("pay_1", "alice", "1")}}},
    {.name = "a_late_payment_on_a_slot_reserved_again_passes",
     .rows = HOLD("1", "alice", "10:00", "11:00")
         OVER("1") "UPDATE booking.temp_booking SET status = 'RESERVED', expires_at = "
                   "'2026-06-01 09:35+00'"
                   " WHERE id = 1;" MOVE("1", "CONFIRMED") BOOKING("1", "1", "pay_1")
                       MAIL("confirmation", "1", "alice"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")}}},

    /* every-payment-settles */
    {.name = "a_payment_that_nothing_came_of_is_caught",
     .invariant = "every-payment-settles",
     .rows = HOLD("1", "alice", "10:00", "11:00"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")}},
     .broken = "payment pay_1 of alice (9000 EUR) ended in nothing"},
    {.name = "a_payment_that_was_booked_and_refunded_is_caught",
     .invariant = "every-payment-settles",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "refund", CAPTURE("pay_1", "alice", "1")}},
     .broken = "payment pay_1 of alice (9000 EUR) ended in a booking and refunds of 9000"},
    {.name = "a_payment_that_was_booked_and_is_to_be_refunded_is_caught",
     .invariant = "every-payment-settles",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1") REFUND("pay_1", "1", "REQUESTED"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")}},
     .broken = "payment pay_1 of alice (9000 EUR) ended in a booking and a refund of 9000 to come"},
    {.name = "a_refund_that_is_durably_asked_for_passes",
     .rows = HOLD("1", "alice", "10:00", "11:00") OVER("1") REFUND("pay_1", "1", "REQUESTED"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")}}},
    {.name = "a_refund_that_was_made_and_not_noted_yet_passes",
     .rows = HOLD("1", "alice", "10:00", "11:00") OVER("1") REFUND("pay_1", "1", "REQUESTED"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "refund", GIVEN_BACK("pay_1", "9000", "refund-pay_1")}}},
    {.name = "a_refund_of_a_part_is_caught",
     .invariant = "every-payment-settles",
     .rows = HOLD("1", "alice", "10:00", "11:00") OVER("1"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "refund", "{\"payment\":\"pay_1\",\"amount\":100,\"currency\":\"EUR\"}"}},
     .broken = "payment pay_1 of alice (9000 EUR) ended in refunds of 100"},

    {.name = "parts_of_a_refund_that_are_less_than_all_are_caught",
     .invariant = "every-payment-settles",
     .rows = HOLD("1", "alice", "10:00", "11:00") MOVE("1", "CANCELLED")
         PART("refund-pay_1-1", "3000", "REQUESTED") PART("refund-pay_1", "6000", "REQUESTED"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "refund", GIVEN_BACK("pay_1", "2999", "refund-pay_1-1")}},
     .broken = "payment pay_1 of alice (9000 EUR) ended in refunds of 2999 and a refund of 6000 to "
               "come"},
    {.name = "a_booking_of_which_a_part_was_given_back_passes",
     .rows =
         BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1") PART("refund-pay_1-1", "3000", "DONE")
             PART("refund-pay_1-2", "1000", "REQUESTED") PRICE("5000"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "call", CALL("refund", "\"pay_1\"", "\"refund-pay_1-2\"", "unknown")},
                {ALICE, "call", CALL("refund", "\"pay_1\"", "\"refund-pay_1-1\"", "ok")},
                {ALICE, "refund", GIVEN_BACK("pay_1", "3000", "refund-pay_1-1")},
                {ALICE, "answer",
                 "{\"action\":\"refund\",\"status\":\"ok\",\"customer\":\"alice\",\"hold\":1,"
                 "\"payment\":\"pay_1\",\"amount\":1000}"}}},
    {.name = "a_part_given_back_and_the_rest_to_come_pass",
     .rows = HOLD("1", "alice", "10:00", "11:00") MOVE("1", "CANCELLED")
         PART("refund-pay_1-1", "3000", "REQUESTED") PART("refund-pay_1", "6000", "REQUESTED"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "refund", GIVEN_BACK("pay_1", "3000", "refund-pay_1-1")}}},
    {.name = "a_part_that_the_provider_refused_beside_its_booking_passes",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1")
         PART("refund-pay_1-1", "3000", "FAILED") PRICE("6000") CASE("pay_1", "1", "3000"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")}}},

    /* money-conserved */
    {.name = "a_part_given_back_that_the_price_does_not_know_of_is_caught",
     .invariant = "money-conserved",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1") PRICE("6000"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "refund", GIVEN_BACK("pay_1", "3000", "a")},
                {BOB, "refund", GIVEN_BACK("pay_1", "3000", "b")}},
     .broken = "payment pay_1: captured 9000, refunded 6000, booked for 6000, in open cases 0 "
               "(EUR)"},
    {.name = "a_part_that_was_told_as_given_back_and_is_not_is_caught",
     .invariant = "no-acknowledged-loss",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1"),
     .events = {{ALICE, "answer",
                 "{\"action\":\"refund\",\"status\":\"ok\",\"customer\":\"alice\",\"hold\":1,"
                 "\"payment\":\"pay_1\",\"amount\":3000}"}},
     .broken = "alice was told \"ok\" to refund (hold 1, pay_1), but nothing was given back"},
    {.name = "a_part_asked_for_again_under_a_key_of_no_refund_is_caught",
     .invariant = "stable-keys",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1")
         PART("refund-pay_1-1", "3000", "REQUESTED"),
     .events = {{ALICE, "call", CALL("refund", "\"pay_1\"", "\"refund-pay_1-1\"", "unknown")},
                {ALICE, "call", CALL("refund", "\"pay_1\"", "\"other\"", "ok")}},
     .broken =
         "refund of pay_1 was repeated with key other after key refund-pay_1-1 had no answer"},
    {.name = "a_refund_made_twice_is_caught",
     .invariant = "money-conserved",
     .rows = HOLD("1", "alice", "10:00", "11:00") MOVE("1", "CANCELLED"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "refund", CAPTURE("pay_1", "alice", "1")},
                {BOB, "refund", CAPTURE("pay_1", "alice", "1")}},
     .broken = "payment pay_1: captured 9000, refunded 18000, booked for 0, in open cases 0 (EUR)"},
    {.name = "a_booking_that_nobody_paid_for_is_caught",
     .invariant = "money-conserved",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1"),
     .broken = "payment pay_1: captured 0, refunded 0, booked for 9000, in open cases 0 (EUR)"},
    {.name = "a_booking_at_another_price_is_caught",
     .invariant = "money-conserved",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00",
                    "pay_1") "UPDATE booking.booking SET amount_minor = 100;",
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")}},
     .broken = "payment pay_1: captured 9000, refunded 0, booked for 100, in open cases 0 (EUR)"},
    {.name = "a_booking_in_another_currency_is_caught",
     .invariant = "money-conserved",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00",
                    "pay_1") "UPDATE booking.booking SET currency = 'GBP';",
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")}},
     .broken = "payment pay_1: captured 0, refunded 0, booked for 9000, in open cases 0 (GBP); "
               "payment pay_1: captured 9000, refunded 0, booked for 0, in open cases 0 (EUR)"},
    {.name = "a_case_about_another_amount_is_caught",
     .invariant = "money-conserved",
     .rows = HOLD("1", "alice", "10:00", "11:00") CASE("pay_1", "1", "1"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")}},
     .broken = "payment pay_1: captured 9000, refunded 0, booked for 0, in open cases 1 (EUR)"},

    {.name = "a_refund_that_is_only_noted_is_caught",
     .invariant = "money-conserved",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1") REFUND("pay_1", "1", "DONE"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")}},
     .broken = "payment pay_1: refunds of 9000 are noted as done, but 0 were made"},

    /* ownership */
    {.name = "a_booking_for_another_customer_than_the_payer_is_caught",
     .invariant = "ownership",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1"),
     .events = {{BOB, "capture", CAPTURE("pay_1", "bob", "1")}},
     .broken = "booking 1 is alice's, hold 1 is alice's, payment pay_1 is bob's for hold 1"},
    {.name = "a_booking_for_another_customer_than_the_holder_is_caught",
     .invariant = "ownership",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00",
                    "pay_1") "UPDATE booking.booking SET customer_id = 'bob';",
     .broken = "booking 1 is bob's, hold 1 is alice's, payment pay_1 is nobody's for hold none"},
    {.name = "a_payment_for_another_hold_is_caught",
     .invariant = "ownership",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "7")}},
     .broken = "booking 1 is alice's, hold 1 is alice's, payment pay_1 is alice's for hold 7"},
    {.name = "a_payment_for_another_hold_that_is_there_is_caught",
     .invariant = "ownership",
     .rows =
         BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1") HOLD("2", "alice", "12:00", "13:00"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "2")}},
     .broken = "booking 1 is alice's, hold 1 is alice's, payment pay_1 is alice's for hold 2"},
    {.name = "a_mail_to_somebody_else_is_caught",
     .invariant = "ownership",
     .rows = HOLD("1", "alice", "10:00", "11:00") MOVE("1", "CONFIRMED") BOOKING("1", "1", "pay_1")
         MAIL("confirmation", "1", "bob"),
     .broken = "mail 1 (confirmation) about hold 1 of alice went to bob"},
    {.name = "a_mail_that_confirms_nothing_is_caught",
     .invariant = "ownership",
     .rows = HOLD("1", "alice", "10:00", "11:00") MAIL("confirmation", "1", "alice"),
     .broken = "mail 1 confirms hold 1, which was never confirmed"},
    {.name = "a_customer_who_is_refused_another_ones_booking_passes",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {BOB, "answer",
                 "{\"action\":\"return\",\"status\":\"forbidden\",\"customer\":\"bob\","
                 "\"booking\":1}"},
                {BOB, "answer",
                 "{\"action\":\"webhook\",\"status\":\"ok\",\"http\":200,\"event\":\"evt_1\","
                 "\"customer\":\"bob\",\"type\":\"payment.succeeded\",\"payment\":\"pay_1\","
                 "\"booking\":1}"}}},
    {.name = "a_mail_about_a_hold_that_was_given_up_passes",
     .rows = HOLD("1", "alice", "10:00", "11:00") MOVE("1", "CANCELLED")
         MAIL("cancellation", "1", "alice")},
    {.name = "a_customer_who_is_told_of_another_ones_booking_is_caught",
     .invariant = "ownership",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1"),
     .events = {{BOB, "answer",
                 "{\"action\":\"return\",\"status\":\"ok\",\"customer\":\"bob\",\"booking\":1}"}},
     .broken = "bob was told of booking 1, which is alice's"},

    /* no-expired-confirm */
    {.name = "a_confirmation_at_the_very_instant_of_expiry_is_caught",
     .invariant = "no-expired-confirm",
     .rows = HOLD("1", "alice", "10:00", "11:00") CLOCK("09:15") MOVE("1", "CONFIRMED"),
     .broken = "hold 1 was confirmed at 2026-06-01 09:15:00, but had expired at "
               "2026-06-01 09:15:00"},
    {.name = "a_confirmation_just_before_expiry_passes",
     .rows = HOLD("1", "alice", "10:00", "11:00") CLOCK("09:14:59.999999") MOVE("1", "CONFIRMED")},

    /* legal-transitions */
    {.name = "a_confirmed_hold_that_was_expired_is_caught",
     .invariant = "legal-transitions",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00", "pay_1") OVER("1"),
     .broken = "hold 1 went from CONFIRMED to EXPIRED"},
    {.name = "an_expired_hold_that_was_confirmed_is_caught",
     .invariant = "legal-transitions",
     .rows = HOLD("1", "alice", "10:00", "11:00") OVER("1") MOVE("1", "CONFIRMED"),
     .broken = "hold 1 went from EXPIRED to CONFIRMED"},
    {.name = "a_cancelled_hold_that_came_back_is_caught",
     .invariant = "legal-transitions",
     .rows = HOLD("1", "alice", "10:00", "11:00") MOVE("1", "CANCELLED") MOVE("1", "CONFIRMED"),
     .broken = "hold 1 went from CANCELLED to CONFIRMED"},
    {.name = "a_hold_that_began_confirmed_is_caught",
     .invariant = "legal-transitions",
     .rows = "ALTER TABLE booking.temp_booking ALTER status SET DEFAULT 'CONFIRMED';" HOLD(
         "1", "alice", "10:00",
         "11:00") "ALTER TABLE booking.temp_booking ALTER status SET DEFAULT 'RESERVED';",
     .broken = "hold 1 went from nothing to CONFIRMED"},
    {.name = "an_expired_hold_that_waits_again_is_caught",
     .invariant = "legal-transitions",
     .rows = HOLD("1", "alice", "10:00", "11:00") OVER("1") MOVE("1", "RESERVED"),
     .broken = "hold 1 went from EXPIRED to RESERVED"},
    {.name = "a_hold_that_was_deleted_is_caught",
     .invariant = "legal-transitions",
     .rows = HOLD("1", "alice", "10:00", "11:00")
         MOVE("1", "CONFIRMED") "DELETE FROM booking.temp_booking;",
     .broken = "hold 1 was last seen to become CONFIRMED, but is gone"},
    {.name = "a_status_written_around_the_trigger_is_caught",
     .invariant = "legal-transitions",
     .rows = HOLD("1", "alice", "10:00",
                  "11:00") "ALTER TABLE booking.temp_booking DISABLE "
                           "TRIGGER USER;" MOVE("1", "EXPIRED") "ALTER TABLE booking.temp_booking "
                                                                "ENABLE TRIGGER USER;",
     .broken = "hold 1 was last seen to become RESERVED, but is EXPIRED"},
    {.name = "a_gap_in_the_transitions_is_caught",
     .invariant = "legal-transitions",
     .rows = HOLD("1", "alice", "10:00", "11:00") OVER("1")
         MOVE("1", "REFUNDED") "DELETE FROM booking.transition WHERE to_status = 'EXPIRED';",
     .broken = "hold 1 went from EXPIRED to REFUNDED"},

    {.name = "a_hold_that_expired_before_its_time_is_caught",
     .invariant = "legal-transitions",
     .rows = HOLD("1", "alice", "10:00", "11:00") CLOCK("09:14") MOVE("1", "EXPIRED"),
     .broken = "hold 1 expired at 2026-06-01 09:14:00, before its time, 2026-06-01 09:15:00"},
    {.name = "a_hold_that_expires_at_its_very_time_passes",
     .rows = HOLD("1", "alice", "10:00", "11:00") CLOCK("09:15") MOVE("1", "EXPIRED")},

    /* effects-once */
    {.name = "two_mails_for_one_confirmation_are_caught",
     .invariant = "effects-once",
     .rows = BOOKED("1", "1", "alice", "10:00", "11:00",
                    "pay_1") "INSERT INTO booking.outbox (kind, hold_id, customer_id) VALUES"
                             " ('confirmation', 1, 'alice');",
     .broken = "hold 1: 2 mails of the kind confirmation"},
    {.name = "a_mail_for_each_of_two_transitions_passes",
     .rows = HOLD("1", "alice", "10:00", "11:00") OVER("1") MAIL("over", "1", "alice")
         MOVE("1", "RESERVED") MOVE("1", "EXPIRED") MAIL("over", "1", "alice")},
    {.name = "a_mail_that_names_no_transition_passes",
     .rows = HOLD("1", "alice", "10:00",
                  "11:00") "INSERT INTO booking.outbox (kind, hold_id, customer_id)"
                           " VALUES ('reminder', 1, 'alice');"},
    {.name = "a_payment_captured_twice_is_caught",
     .invariant = "effects-once",
     .rows = HOLD("1", "alice", "10:00", "11:00"),
     .events = {{ALICE, "capture", CAPTURE("pay_1", "alice", "1")},
                {ALICE, "capture", CAPTURE("pay_1", "alice", "1")}},
     .broken = "payment pay_1 was captured 2 times"},
};

const size_t planted_row_count = sizeof planted_rows / sizeof *planted_rows;

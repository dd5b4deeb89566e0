/* What customers change after they have booked: rescheduling, and a part of the money back. */
#include "race.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fiu-control.h>

#define REASON(world) ((world)->answer.reason)

static enum booking_status move(struct world *world, const char *customer, int64_t hold_id,
                                const char *start, const char *end)
{
    struct booking_move_request request = {
        .customer = customer, .hold_id = hold_id, .start = start, .end = end};

    return booking_reschedule(&world->app, world->session, &request, &world->answer);
}

static enum booking_status give_back(struct world *world, int64_t amount_minor, const char *part)
{
    struct booking_refund_request request = {
        .customer = "alice", .hold_id = 1, .amount_minor = amount_minor, .part = part};

    return booking_refund(&world->app, world->session, &request, &world->answer);
}

static void book(struct world *world)
{
    assert_int_equal(world_paid(world, "alice"), 1);
    world_deliver_all(world);
}

#define NOON "2026-06-01 12:00", "2026-06-01 13:00"
#define HALF_PAST_TEN "2026-06-01 10:30", "2026-06-01 11:30"

static void a_booking_moves_with_its_number_and_its_payment(void **state)
{
    struct world *world = *state;

    book(world);
    assert_int_equal(move(world, "alice", 1, NOON), BOOKING_OK);
    assert_int_equal(world->answer.hold_id, 2);
    assert_int_equal(world->answer.booking_id, 1);
    assert_sql_text(world, "SELECT hold_id || ' ' || status FROM booking.booking", "2 CONFIRMED");
    assert_sql_text(world, "SELECT status FROM booking.temp_booking WHERE id = 1", "CANCELLED");
    assert_int_equal(world_hold(world, "bob", 10, 11), BOOKING_OK);
    assert_int_equal(world_hold(world, "carol", 12, 13), BOOKING_CONFLICT);
    assert_int_equal(world_violations(world), 0);
    assert_int_equal(world_cancel(world, "alice", 2), BOOKING_OK);
    world_deliver_all(world);
    assert_sql_text(world, "SELECT status FROM booking.temp_booking WHERE id = 2", "REFUNDED");
    assert_int_equal(world_violations(world), 0);
}

static void an_old_link_is_dead_but_for_the_same_request(void **state)
{
    struct world *world = *state;

    book(world);
    assert_int_equal(move(world, "alice", 1, NOON), BOOKING_OK);
    assert_int_equal(move(world, "alice", 1, NOON), BOOKING_OK);
    assert_string_equal(REASON(world), "rescheduled-before");
    assert_int_equal(world->answer.hold_id, 2);
    assert_int_equal(move(world, "alice", 1, HALF_PAST_TEN), BOOKING_CONFLICT);
    assert_string_equal(REASON(world), "rescheduled");
    assert_int_equal(world_cancel(world, "alice", 1), BOOKING_CONFLICT);
    assert_string_equal(REASON(world), "rescheduled");
    assert_int_equal(move(world, "alice", 2, HALF_PAST_TEN), BOOKING_OK);
    assert_int_equal(world_int(world, "SELECT count(*) FROM booking.claim"), 1);
    assert_int_equal(world_violations(world), 0);
}

static void a_move_into_a_taken_slot_changes_nothing(void **state)
{
    struct world *world = *state;

    book(world);
    world_hold(world, "bob", 12, 13);
    assert_int_equal(move(world, "alice", 1, NOON), BOOKING_CONFLICT);
    assert_string_equal(REASON(world), "slot-taken");
    assert_true(world->answer.lost_race);
    assert_sql_text(world, "SELECT hold_id || ' ' || status FROM booking.booking", "1 CONFIRMED");
    assert_int_equal(move(world, "alice", 1, HALF_PAST_TEN), BOOKING_OK);
    assert_int_equal(world_violations(world), 0);
}

static void only_a_booking_of_ones_own_moves_and_at_its_price(void **state)
{
    struct world *world = *state;

    world_hold(world, "bob", 14, 15);
    assert_int_equal(move(world, "bob", 1, NOON), BOOKING_CONFLICT);
    assert_string_equal(REASON(world), "not-booked-yet");
    assert_int_equal(move(world, "bob", 77, NOON), BOOKING_NOT_FOUND);
    world_paid(world, "alice");
    world_deliver_all(world);
    assert_int_equal(move(world, "mallory", 2, NOON), BOOKING_FORBIDDEN);
    assert_int_equal(move(world, "alice", 2, "2026-06-01 12:00", "2026-06-01 14:00"),
                     BOOKING_CONFLICT);
    assert_string_equal(REASON(world), "other-price");
    assert_int_equal(world_cancel(world, "alice", 2), BOOKING_OK);
    assert_int_equal(move(world, "alice", 2, NOON), BOOKING_CONFLICT);
    assert_string_equal(REASON(world), "cancelled");
}

/* The legacy path leaves no mark of the payment, so the next delivery meets the moved booking. */
static void a_delivery_after_the_move_of_a_legacy_booking_adds_nothing(void **state)
{
    struct world *world = *state;
    struct booking_error err;

    booking_flag_set(world->plain, 0, &err);
    world_paid(world, "alice");
    assert_int_equal(world_return(world, "alice", "pay_1"), BOOKING_OK);
    booking_flag_set(world->plain, 100, &err);
    assert_int_equal(move(world, "alice", 1, NOON), BOOKING_OK);
    assert_int_equal(world_deliver(world), BOOKING_OK);
    assert_string_equal(REASON(world), "confirmed-before");
    assert_int_equal(booking_psp_ledger_count(world->psp), 1);
    assert_int_equal(world_violations(world), 0);
}

/* --- a part of the money */

static void parts_come_out_of_the_price_and_a_cancellation_gives_the_rest(void **state)
{
    struct world *world = *state;

    book(world);
    assert_int_equal(give_back(world, 4000, "1"), BOOKING_OK);
    assert_int_equal(give_back(world, 4000, "1"), BOOKING_OK);
    assert_string_equal(REASON(world), "refunded-before");
    assert_int_equal(give_back(world, 5000, "2"), BOOKING_CONFLICT);
    assert_string_equal(REASON(world), "exceeds-price");
    assert_int_equal(give_back(world, 0, "3"), BOOKING_INVALID);
    assert_int_equal(world_int(world, "SELECT amount_minor FROM booking.booking"), 5000);
    assert_int_equal(world_cancel(world, "alice", 1), BOOKING_OK);
    world_deliver_all(world);
    assert_sql_text(world,
                    "SELECT string_agg(amount_minor || status, ' ' ORDER BY id)"
                    " FROM booking.refund",
                    "4000DONE 5000DONE");
    assert_sql_text(world, "SELECT status FROM booking.temp_booking", "REFUNDED");
    assert_int_equal(give_back(world, 1, "4"), BOOKING_CONFLICT);
    assert_int_equal(world_violations(world), 0);
}

/* The part was made, nobody wrote it down, and the provider forgets its key. */
static void a_forgotten_part_is_not_given_back_again(void **state)
{
    struct world *world = *state;

    book(world);
    world_fault(BOOKING_FAULT_WORKER_CRASH, 1, 2);
    assert_int_equal(give_back(world, 4000, "1"), BOOKING_CRASHED);
    fiu_disable(booking_fault_point(BOOKING_FAULT_WORKER_CRASH));
    assert_sql_text(world, "SELECT status FROM booking.refund", "REQUESTED");
    assert_int_equal(booking_psp_ledger_count(world->psp), 2);
    world_advance(world, 25 * 3600);
    booking_psp_prune_keys(world->psp, world->now_us);
    assert_int_equal(world_clean(world), BOOKING_OK);
    assert_sql_text(world, "SELECT status FROM booking.refund", "DONE");
    assert_int_equal(booking_psp_ledger_count(world->psp), 2);
}

static void a_part_that_is_refused_is_left_to_a_person(void **state)
{
    struct world *world = *state;

    book(world);
    world_fault(BOOKING_FAULT_PSP_REFUND_FAILED, 1, 0);
    assert_int_equal(give_back(world, 4000, "1"), BOOKING_OK);
    assert_sql_text(world, "SELECT amount_minor || status FROM booking.manual_case", "4000OPEN");
    world_fault(BOOKING_FAULT_PSP_REFUND_FAILED, 1, 0);
    assert_int_equal(world_cancel(world, "alice", 1), BOOKING_OK);
    assert_sql_text(world, "SELECT amount_minor || status FROM booking.manual_case", "9000OPEN");
}

#define CHANGE_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHANGE_TEST(a_booking_moves_with_its_number_and_its_payment),
        CHANGE_TEST(an_old_link_is_dead_but_for_the_same_request),
        CHANGE_TEST(a_move_into_a_taken_slot_changes_nothing),
        CHANGE_TEST(only_a_booking_of_ones_own_moves_and_at_its_price),
        CHANGE_TEST(a_delivery_after_the_move_of_a_legacy_booking_adds_nothing),
        CHANGE_TEST(parts_come_out_of_the_price_and_a_cancellation_gives_the_rest),
        CHANGE_TEST(a_forgotten_part_is_not_given_back_again),
        CHANGE_TEST(a_part_that_is_refused_is_left_to_a_person),
    };

    return cmocka_run_group_tests_name("changes", tests, NULL, NULL);
}

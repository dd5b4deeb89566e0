/*
 * booking.h - the reference booking flow: everything public, in one include.
 *
 * A library on libpq that rents out simulators (bookable bays) by the hour: availability, holds,
 * payment, webhooks, cancellation, cleanup, with a legacy and a fixed path behind a feature flag.
 * It prints nothing, keeps no global state and reaches the outside through three ports: a database
 * session (booking/db.h), a payment provider (booking/payments.h) and a log (booking/monitor.h).
 */
#ifndef BOOKING_H
#define BOOKING_H

#include "booking/db.h"
#include "booking/error.h"
#include "booking/faults.h"
#include "booking/flag.h"
#include "booking/flow.h"
#include "booking/migrate.h"
#include "booking/monitor.h"
#include "booking/payments.h"
#include "booking/psp.h"
#include "booking/signature.h"

#endif

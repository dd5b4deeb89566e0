CREATE TABLE booking.flag (
    name text PRIMARY KEY,
    percent integer NOT NULL CHECK (percent BETWEEN 0 AND 100),
    changed_at timestamptz NOT NULL DEFAULT booking.now()
);
INSERT INTO booking.flag (name, percent) VALUES ('fixed-flow', 0);

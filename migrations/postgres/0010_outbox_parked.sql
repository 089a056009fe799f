-- oldest: 5
-- A write whose end fails for a reason of its own is tried again later, and put aside when
-- that has been often enough: those after it go on.
ALTER TABLE intent ADD COLUMN attempts INTEGER     NOT NULL DEFAULT 0;
ALTER TABLE intent ADD COLUMN retry    TIMESTAMPTZ;            -- not before
ALTER TABLE intent ADD COLUMN parked   TIMESTAMPTZ;            -- put aside, since then
ALTER TABLE intent ADD COLUMN why      TEXT        NOT NULL DEFAULT '';

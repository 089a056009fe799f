-- oldest: 5
-- What parties have delegated: a single right, an access package, or, when via_id is set, a
-- package of a client that its provider has passed on to an agent. What stands in the graph
-- follows from these rows. A grant stands while any source asserts it; id names what is
-- granted by whom to whom, so that one who grants it again changes it.
CREATE TABLE delegation (
  id         TEXT    COLLATE "C" NOT NULL,
  source     TEXT    COLLATE "C" NOT NULL, -- who says so: "delegations" for what was granted here
  from_id    BIGINT NOT NULL REFERENCES party (id),
  via_id     BIGINT NOT NULL,         -- the provider of a client; 0 for all others
  package    TEXT    COLLATE "C" NOT NULL, -- its relation; empty for a right
  resource   TEXT    COLLATE "C" NOT NULL, -- empty for a package, as are action, instance and task
  action     TEXT    COLLATE "C" NOT NULL,
  instance   TEXT    COLLATE "C" NOT NULL, -- empty for all instances
  task       TEXT    COLLATE "C" NOT NULL, -- empty for all tasks
  to_id      BIGINT NOT NULL,         -- 0 when a system user has it
  to_user    BIGINT NOT NULL,         -- the person's user id; 0 for all others
  to_system  TEXT    COLLATE "C" NOT NULL, -- the system user; empty for all others
  expires    BIGINT,                   -- microseconds since 1970; NULL for never
  given_by   BIGINT NOT NULL,         -- the user who gave it; 0 for none
  given_with TEXT    COLLATE "C" NOT NULL, -- the service that wrote it; empty for none
  given_at   BIGINT NOT NULL,         -- microseconds since 1970
  PRIMARY KEY (id, source)
);

CREATE INDEX delegation_from ON delegation (from_id, id);
CREATE INDEX delegation_to ON delegation (to_id, id);
CREATE INDEX delegation_via ON delegation (via_id, id);
CREATE INDEX delegation_system ON delegation (to_system, id);
CREATE INDEX delegation_source ON delegation (source);

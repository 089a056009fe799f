-- oldest: 1
-- What was decided. A row never changes.
CREATE TABLE audit (
  at             INTEGER PRIMARY KEY,  -- nanoseconds since 1970, when it was recorded; no two are the same
  node           INTEGER NOT NULL,     -- of a file always 0
  kind           TEXT    NOT NULL,     -- decision, check, list or validate
  user_id        INTEGER NOT NULL,     -- who acted, 0 when it was no user
  system_user    TEXT    NOT NULL,     -- UUID, empty when it was none
  party_id       INTEGER NOT NULL,     -- whose the resource is, 0 when it is not known
  resource       TEXT    NOT NULL,
  action         TEXT    NOT NULL,
  decision       TEXT    NOT NULL,
  record         TEXT    NOT NULL      -- all of it, as JSON
) STRICT;

-- What is looked for by; each is in the order of time within.
CREATE INDEX audit_user ON audit (user_id) WHERE user_id <> 0;
CREATE INDEX audit_party ON audit (party_id) WHERE party_id <> 0;

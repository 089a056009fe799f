-- oldest: 5
-- What was decided. A row never changes.
CREATE TABLE audit (
  at             BIGINT NOT NULL,      -- nanoseconds since 1970, when it was recorded
  node           BIGINT NOT NULL,      -- which server recorded it; no two of its rows have the same time
  kind           TEXT   NOT NULL,      -- decision, check, list or validate
  user_id        BIGINT NOT NULL,      -- who acted, 0 when it was no user
  system_user    TEXT   NOT NULL,      -- UUID, empty when it was none
  party_id       BIGINT NOT NULL,      -- whose the resource is, 0 when it is not known
  resource       TEXT   NOT NULL,
  action         TEXT   NOT NULL,
  decision       TEXT   NOT NULL,
  record         TEXT   NOT NULL,      -- all of it, as JSON
  PRIMARY KEY (at, node)
);

-- What is looked for by; each is in the order of time within.
CREATE INDEX audit_user ON audit (user_id, at, node) WHERE user_id <> 0;
CREATE INDEX audit_party ON audit (party_id, at, node) WHERE party_id <> 0;

-- oldest: 1
-- A party as it is shown: what its sources say, merged.
CREATE TABLE party (
  id          INTEGER PRIMARY KEY CHECK (id > 0),
  uuid        TEXT    NOT NULL UNIQUE,
  kind        INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 5),
  name        TEXT    NOT NULL,
  org_number  TEXT    UNIQUE,          -- NULL when it has none
  national_id TEXT    UNIQUE,          -- NULL when it has none
  unit_type   TEXT    NOT NULL,
  main_unit   INTEGER,                 -- NULL when it has none
  deleted_on  TEXT    NOT NULL,
  birth_date  TEXT    NOT NULL,
  died_on     TEXT    NOT NULL,
  user_id     INTEGER UNIQUE CHECK (user_id > 0),
  login       INTEGER NOT NULL CHECK (login IN (0, 1)),
  created_by  TEXT    NOT NULL         -- the source that brought it first
) STRICT;

CREATE INDEX party_main_unit ON party (main_unit) WHERE main_unit IS NOT NULL;

-- What one source says of a party, under one of its keys. The identifiers are those that
-- the source gave, not those that the party has.
CREATE TABLE party_source (
  source      TEXT    NOT NULL,
  party_id    INTEGER NOT NULL REFERENCES party (id),
  source_key  TEXT    NOT NULL,        -- empty when the source gave none
  gave_id     INTEGER NOT NULL CHECK (gave_id IN (0, 1)),
  uuid        TEXT    NOT NULL,
  kind        INTEGER NOT NULL,
  name        TEXT    NOT NULL,
  org_number  TEXT    NOT NULL,
  national_id TEXT    NOT NULL,
  unit_type   TEXT    NOT NULL,
  main_unit   INTEGER NOT NULL,        -- 0 when it named none
  deleted_on  TEXT    NOT NULL,
  birth_date  TEXT    NOT NULL,
  died_on     TEXT    NOT NULL,
  user_id     INTEGER NOT NULL,        -- 0 when it gave none
  login       INTEGER NOT NULL,
  written     INTEGER NOT NULL,        -- the write that said so last; later ones win
  PRIMARY KEY (source, party_id, source_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX party_source_party ON party_source (party_id);
CREATE INDEX party_source_key ON party_source (source, source_key) WHERE source_key <> '';

-- What one source says of who holds a role. The role is named by its relation. to_id may
-- stand before its party does, and after: an import writes holders and those who name them
-- in different transactions. to_user is the holder's user id then, so that the party's
-- tuples follow from its own rows at any time.
CREATE TABLE assignment (
  from_id INTEGER NOT NULL REFERENCES party (id),
  role    TEXT    NOT NULL,
  to_id   INTEGER NOT NULL,
  to_user INTEGER,                     -- NULL for an organisation
  source  TEXT    NOT NULL,
  expires INTEGER,                     -- microseconds since 1970; NULL for never
  PRIMARY KEY (from_id, role, to_id, source)
) STRICT, WITHOUT ROWID;

CREATE INDEX assignment_to ON assignment (to_id, role);
CREATE INDEX assignment_source ON assignment (source);

-- The next number of each kind. Numbers are never given twice.
CREATE TABLE sequence (
  name TEXT    PRIMARY KEY,
  next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO sequence (name, next) VALUES ('party', 1000000000), ('user', 1000000000), ('write', 1);

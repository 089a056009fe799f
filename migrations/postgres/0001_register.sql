-- oldest: 1
-- A party as it is shown: what its sources say, merged. Texts are ordered byte by byte,
-- as on SQLite.
CREATE TABLE party (
  id          BIGINT   PRIMARY KEY CHECK (id > 0),
  uuid        TEXT     COLLATE "C" NOT NULL UNIQUE,
  kind        SMALLINT NOT NULL CHECK (kind BETWEEN 1 AND 5),
  name        TEXT     NOT NULL,
  org_number  TEXT     COLLATE "C" UNIQUE,  -- NULL when it has none
  national_id TEXT     COLLATE "C" UNIQUE,  -- NULL when it has none
  unit_type   TEXT     NOT NULL,
  main_unit   BIGINT,                       -- NULL when it has none
  deleted_on  TEXT     NOT NULL,
  birth_date  TEXT     NOT NULL,
  died_on     TEXT     NOT NULL,
  user_id     BIGINT   UNIQUE CHECK (user_id > 0),
  login       BOOLEAN  NOT NULL,
  created_by  TEXT     NOT NULL             -- the source that brought it first
);

CREATE INDEX party_main_unit ON party (main_unit) WHERE main_unit IS NOT NULL;

-- What one source says of a party, under one of its keys. The identifiers are those that
-- the source gave, not those that the party has.
CREATE TABLE party_source (
  source      TEXT     COLLATE "C" NOT NULL,
  party_id    BIGINT   NOT NULL REFERENCES party (id),
  source_key  TEXT     COLLATE "C" NOT NULL, -- empty when the source gave none
  gave_id     BOOLEAN  NOT NULL,
  uuid        TEXT     NOT NULL,
  kind        SMALLINT NOT NULL,
  name        TEXT     NOT NULL,
  org_number  TEXT     NOT NULL,
  national_id TEXT     NOT NULL,
  unit_type   TEXT     NOT NULL,
  main_unit   BIGINT   NOT NULL,             -- 0 when it named none
  deleted_on  TEXT     NOT NULL,
  birth_date  TEXT     NOT NULL,
  died_on     TEXT     NOT NULL,
  user_id     BIGINT   NOT NULL,             -- 0 when it gave none
  login       BOOLEAN  NOT NULL,
  written     BIGINT   NOT NULL,             -- the write that said so last; later ones win
  PRIMARY KEY (source, party_id, source_key)
);

CREATE INDEX party_source_party ON party_source (party_id);
CREATE INDEX party_source_key ON party_source (source, source_key) WHERE source_key <> '';

-- What one source says of who holds a role. The role is named by its relation. to_id may
-- stand before its party does, and after: an import writes holders and those who name them
-- in different transactions. to_user is the holder's user id then, so that the party's
-- tuples follow from its own rows at any time.
CREATE TABLE assignment (
  from_id BIGINT NOT NULL REFERENCES party (id),
  role    TEXT   COLLATE "C" NOT NULL,
  to_id   BIGINT NOT NULL,
  to_user BIGINT,                            -- NULL for an organisation
  source  TEXT   COLLATE "C" NOT NULL,
  expires BIGINT,                            -- microseconds since 1970; NULL for never
  PRIMARY KEY (from_id, role, to_id, source)
);

CREATE INDEX assignment_to ON assignment (to_id, role);
CREATE INDEX assignment_source ON assignment (source);

-- The next number of each kind. Numbers are never given twice.
CREATE TABLE sequence (
  name TEXT   PRIMARY KEY,
  next BIGINT NOT NULL
);

INSERT INTO sequence (name, next) VALUES ('party', 1000000000), ('user', 1000000000), ('write', 1);

-- Keys of services. The secret itself is not kept.
CREATE TABLE api_key (
  id      TEXT   COLLATE "C" PRIMARY KEY,
  name    TEXT   NOT NULL,
  hash    BYTEA  NOT NULL CHECK (length(hash) = 32),
  scopes  TEXT   NOT NULL,                   -- separated by spaces
  created BIGINT NOT NULL,                   -- microseconds since 1970
  expires BIGINT                             -- the same; NULL for never
);

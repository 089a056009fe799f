-- oldest: 5
-- Programs that act for a party.
CREATE TABLE system_user (
  uuid   TEXT   COLLATE "C" PRIMARY KEY,
  owner  BIGINT NOT NULL REFERENCES party (id),
  kind   SMALLINT NOT NULL CHECK (kind BETWEEN 1 AND 2), -- 1 standard, 2 agent
  name   TEXT    NOT NULL,
  source TEXT   COLLATE "C" NOT NULL              -- who wrote the row last
);

CREATE INDEX system_user_owner ON system_user (owner);

-- Sets of parties that resources are open to. The members are relationships as well, which
-- decisions read.
CREATE TABLE access_list (
  id          TEXT   COLLATE "C" PRIMARY KEY,     -- that of the list's object in relationships
  owner       TEXT   COLLATE "C" NOT NULL,
  identifier  TEXT   COLLATE "C" NOT NULL,
  name        TEXT    NOT NULL,
  description TEXT    NOT NULL,
  etag        TEXT    NOT NULL,
  updated     BIGINT NOT NULL,        -- microseconds since 1970
  source      TEXT   COLLATE "C" NOT NULL
);

CREATE TABLE access_list_member (
  list  TEXT   COLLATE "C" NOT NULL REFERENCES access_list (id),
  party BIGINT NOT NULL REFERENCES party (id),
  since BIGINT NOT NULL,              -- microseconds since 1970
  PRIMARY KEY (list, party)
);

CREATE INDEX access_list_member_party ON access_list_member (party);

-- What a list opens to its members.
CREATE TABLE access_list_resource (
  list     TEXT COLLATE "C" NOT NULL REFERENCES access_list (id),
  resource TEXT COLLATE "C" NOT NULL,
  actions  TEXT NOT NULL,              -- a JSON list; empty for all actions
  PRIMARY KEY (list, resource)
);

CREATE INDEX access_list_resource_resource ON access_list_resource (resource);

-- Services that policies are about.
CREATE TABLE resource (
  id           TEXT   COLLATE "C" PRIMARY KEY,
  owner        TEXT   COLLATE "C" NOT NULL,       -- the code of its organisation; empty when not known
  owner_number TEXT    NOT NULL,
  type         TEXT    NOT NULL,
  title        TEXT    NOT NULL,
  listed_only  BOOLEAN NOT NULL, -- open to members of access lists only
  source       TEXT   COLLATE "C" NOT NULL
);

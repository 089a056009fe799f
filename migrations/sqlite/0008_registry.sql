-- oldest: 6
-- Programs that act for a party.
CREATE TABLE system_user (
  uuid   TEXT    PRIMARY KEY,
  owner  INTEGER NOT NULL REFERENCES party (id),
  kind   INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 2), -- 1 standard, 2 agent
  name   TEXT    NOT NULL,
  source TEXT    NOT NULL              -- who wrote the row last
) STRICT, WITHOUT ROWID;

CREATE INDEX system_user_owner ON system_user (owner);

-- Sets of parties that resources are open to. The members are relationships as well, which
-- decisions read.
CREATE TABLE access_list (
  id          TEXT    PRIMARY KEY,     -- that of the list's object in relationships
  owner       TEXT    NOT NULL,
  identifier  TEXT    NOT NULL,
  name        TEXT    NOT NULL,
  description TEXT    NOT NULL,
  etag        TEXT    NOT NULL,
  updated     INTEGER NOT NULL,        -- microseconds since 1970
  source      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE access_list_member (
  list  TEXT    NOT NULL REFERENCES access_list (id),
  party INTEGER NOT NULL REFERENCES party (id),
  since INTEGER NOT NULL,              -- microseconds since 1970
  PRIMARY KEY (list, party)
) STRICT, WITHOUT ROWID;

CREATE INDEX access_list_member_party ON access_list_member (party);

-- What a list opens to its members.
CREATE TABLE access_list_resource (
  list     TEXT NOT NULL REFERENCES access_list (id),
  resource TEXT NOT NULL,
  actions  TEXT NOT NULL,              -- a JSON list; empty for all actions
  PRIMARY KEY (list, resource)
) STRICT, WITHOUT ROWID;

CREATE INDEX access_list_resource_resource ON access_list_resource (resource);

-- Services that policies are about.
CREATE TABLE resource (
  id           TEXT    PRIMARY KEY,
  owner        TEXT    NOT NULL,       -- the code of its organisation; empty when not known
  owner_number TEXT    NOT NULL,
  type         TEXT    NOT NULL,
  title        TEXT    NOT NULL,
  listed_only  INTEGER NOT NULL CHECK (listed_only IN (0, 1)), -- open to members of access lists only
  source       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

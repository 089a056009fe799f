-- oldest: 3
-- What a file of Behalf's bears, so that no other is taken for one: "BHLF".
PRAGMA application_id = 1112034374;

-- Names of the relations of definitions and, with an empty name, of the definitions
-- themselves where their objects are subjects. Rows refer to them by number.
CREATE TABLE relation_word (
  id   INTEGER PRIMARY KEY,
  type TEXT    NOT NULL,
  name TEXT    NOT NULL,
  UNIQUE (type, name)
) STRICT;

-- Relationships, live and past. A row never changes but for its end.
CREATE TABLE tuple (
  id       INTEGER PRIMARY KEY,        -- given in the order of revisions
  hash     INTEGER NOT NULL,           -- of resource, relation and subject
  relation INTEGER NOT NULL,           -- relation_word of the resource
  resource TEXT    NOT NULL,
  kind     INTEGER NOT NULL,           -- relation_word of the subject
  subject  TEXT    NOT NULL,
  created  INTEGER NOT NULL,           -- the revision that made it
  deleted  INTEGER,                    -- the revision that ended it; NULL while it is live
  expires  INTEGER,                    -- microseconds since 1970; NULL for never
  caveat   TEXT,                       -- NULL for none
  context  BLOB,                       -- of the caveat, a google.protobuf.Struct
  note     BLOB                        -- an authzed core RelationshipIntegrity; NULL for none
) STRICT;

CREATE INDEX tuple_hash ON tuple (hash) WHERE deleted IS NULL;
CREATE INDEX tuple_deleted ON tuple (deleted) WHERE deleted IS NOT NULL;

-- Transactions of relationships and schema. The oldest row stands for all before it.
CREATE TABLE revision (
  revision    INTEGER PRIMARY KEY,
  at          INTEGER NOT NULL,        -- microseconds since 1970; never less than before
  first_tuple INTEGER NOT NULL,        -- ids of the tuples that it made are at least this
  tuples      INTEGER NOT NULL,        -- how many live tuples there are after it
  sum         INTEGER NOT NULL,        -- the checksum of all live tuples after it
  metadata    BLOB                     -- a google.protobuf.Struct; NULL for none
) STRICT;

-- What is kept whole and by version: the schema, its definitions one by one where they are
-- written so, and counters.
CREATE TABLE definition (
  kind    INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 4), -- 1 schema, 2 object, 3 caveat, 4 counter
  name    TEXT    NOT NULL,
  created INTEGER NOT NULL,            -- the revision that wrote it
  deleted INTEGER,                     -- the revision that replaced or removed it; NULL while it is live
  body    BLOB    NOT NULL,
  PRIMARY KEY (kind, name, created)
) STRICT, WITHOUT ROWID;

CREATE TABLE store (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

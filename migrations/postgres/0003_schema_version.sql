-- oldest: 2
-- The versions of Behalf's own definitions in the relations schema that were made live.
CREATE TABLE schema_version (
  version INTEGER PRIMARY KEY CHECK (version > 0),
  oldest  INTEGER NOT NULL,            -- the oldest version that a program may know to run on it
  made    BIGINT  NOT NULL             -- microseconds since 1970
);

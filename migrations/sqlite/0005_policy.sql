-- oldest: 3
-- Texts of policies, each named by its SHA-256. They are written once and never changed:
-- what a revision refers to must be readable for as long as the revision is.
CREATE TABLE policy_text (
  hash TEXT NOT NULL PRIMARY KEY CHECK (length(hash) = 64), -- in lower-case hexadecimals
  text BLOB NOT NULL
) STRICT;

-- What was done to the policy of an object. Which one is current is a relationship.
CREATE TABLE policy_change (
  ref    TEXT    NOT NULL,             -- the id of the policy's object
  number INTEGER NOT NULL CHECK (number > 0),
  kind   TEXT    NOT NULL,             -- put, rollback or delete
  hash   TEXT    NOT NULL,             -- of the text; empty when it was deleted
  any_of INTEGER NOT NULL CHECK (any_of IN (0, 1)), -- read with any_of_per_category
  made   INTEGER NOT NULL,             -- microseconds since 1970
  made_by TEXT   NOT NULL,
  PRIMARY KEY (ref, number)
) STRICT, WITHOUT ROWID;

-- oldest: 2
-- Texts of policies, each named by its SHA-256. They are written once and never changed:
-- what a revision refers to must be readable for as long as the revision is.
CREATE TABLE policy_text (
  hash TEXT   COLLATE "C" PRIMARY KEY CHECK (length(hash) = 64), -- in lower-case hexadecimals
  text BYTEA  NOT NULL
);

-- What was done to the policy of an object. Which one is current is a relationship.
CREATE TABLE policy_change (
  ref     TEXT    COLLATE "C" NOT NULL,      -- the id of the policy's object
  number  BIGINT  NOT NULL CHECK (number > 0),
  kind    TEXT    NOT NULL,                  -- put, rollback or delete
  hash    TEXT    NOT NULL,                  -- of the text; empty when it was deleted
  any_of  BOOLEAN NOT NULL,                  -- read with any_of_per_category
  made    BIGINT  NOT NULL,                  -- microseconds since 1970
  made_by TEXT    NOT NULL,
  PRIMARY KEY (ref, number)
);

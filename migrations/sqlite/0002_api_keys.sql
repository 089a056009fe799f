-- oldest: 2
-- Keys of services. The secret itself is not kept.
CREATE TABLE api_key (
  id      TEXT    PRIMARY KEY,
  name    TEXT    NOT NULL,
  hash    BLOB    NOT NULL CHECK (length(hash) = 32),
  scopes  TEXT    NOT NULL,            -- separated by spaces
  created INTEGER NOT NULL,            -- microseconds since 1970
  expires INTEGER                      -- the same; NULL for never
) STRICT, WITHOUT ROWID;

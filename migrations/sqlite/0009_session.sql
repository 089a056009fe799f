-- oldest: 6
-- Which user a subject of an identity provider is.
CREATE TABLE login_identity (
  issuer   TEXT    NOT NULL,
  subject  TEXT    NOT NULL,
  user_id  INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

-- Browsers' sessions. Neither the id that a browser holds nor the provider's tokens can be
-- read here: the one is a hash, the others are sealed with a key that is not in the database.
CREATE TABLE session (
  id           BLOB    PRIMARY KEY,      -- SHA-256 of what the browser holds
  provider     TEXT    NOT NULL,         -- name in the issuers file
  issuer       TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  sid          TEXT    NOT NULL,         -- the provider's name of its session; may be empty
  identity     TEXT    NOT NULL,         -- what the provider is believed, as JSON
  tokens       BLOB    NOT NULL,         -- sealed
  renew_after  INTEGER,                  -- microseconds since 1970; NULL when it is not renewed
  expires      INTEGER NOT NULL,         -- the same
  version      INTEGER NOT NULL,         -- counts the renewals
  holder       TEXT    NOT NULL,         -- who renews it now; empty for nobody
  held_until   INTEGER NOT NULL          -- microseconds since 1970
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_sid ON session (issuer, sid);
CREATE INDEX session_by_subject ON session (issuer, subject);
CREATE INDEX session_by_expiry ON session (expires);

-- What may be used once and has been: states of logins, logout tokens.
CREATE TABLE used_once (
  hash    BLOB    PRIMARY KEY,
  expires INTEGER NOT NULL               -- microseconds since 1970; after it, it is refused for its age
) STRICT, WITHOUT ROWID;
CREATE INDEX used_once_by_expiry ON used_once (expires);

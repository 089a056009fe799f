-- oldest: 5
-- For which party the holder of a session last chose to act, and when he last did something.
ALTER TABLE session ADD COLUMN party BIGINT NOT NULL DEFAULT 0; -- 0 when he has not chosen
ALTER TABLE session ADD COLUMN seen  BIGINT NOT NULL DEFAULT 0; -- microseconds since 1970; 0 when nobody has noted it yet
-- Which subjects a user is.
CREATE INDEX login_identity_by_user ON login_identity (user_id);

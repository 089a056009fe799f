-- oldest: 2
-- Writes of rows and relationships that are under way. The rows are not visible yet: they
-- are the statements that will write them. Who finishes a write, finishes the lowest first.
CREATE TABLE intent (
  number     BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  operation  TEXT        NOT NULL UNIQUE,   -- in the metadata of the relationships' transaction
  created    TIMESTAMPTZ NOT NULL DEFAULT now(),
  updates    JSON        NOT NULL,          -- of relationships
  statements JSON        NOT NULL
);

-- What has changed, for servers that keep parties and keys in memory. Every write is made
-- under one lock, so that numbers become visible in their order.
CREATE TABLE change (
  number BIGINT   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind   SMALLINT NOT NULL CHECK (kind BETWEEN 1 AND 2), -- 1 party, 2 API keys
  party  BIGINT   NOT NULL                               -- 0 for keys
);

-- Changes up to this number are forgotten.
INSERT INTO sequence (name, next) VALUES ('forgotten', 0);

CREATE FUNCTION tell_party() RETURNS trigger LANGUAGE plpgsql SET search_path = behalf AS $$
BEGIN
  INSERT INTO change (kind, party) VALUES (1, CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END);
  RETURN NULL;
END $$;

CREATE FUNCTION tell_key() RETURNS trigger LANGUAGE plpgsql SET search_path = behalf AS $$
BEGIN
  INSERT INTO change (kind, party) VALUES (2, 0);
  RETURN NULL;
END $$;

CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON party FOR EACH ROW EXECUTE FUNCTION tell_party();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON api_key FOR EACH ROW EXECUTE FUNCTION tell_key();

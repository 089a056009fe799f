-- oldest: 5
-- Instances of apps, about which decisions are asked by their id alone.
CREATE TABLE instance (
  party_id  BIGINT NOT NULL,           -- whose it is; the register need not know the party
  guid      TEXT   COLLATE "C" NOT NULL, -- its UUID, in lower case
  org       TEXT   NOT NULL,
  app       TEXT   NOT NULL,
  task      TEXT   NOT NULL,           -- empty when it is in none
  end_event TEXT   NOT NULL,           -- empty until it has ended
  PRIMARY KEY (party_id, guid)
);

import { app, dial } from "@behalf-authz/client";
import { Guard, partyInPath, subjectFrom } from "@behalf-authz/client/pep";
import express from "express";

const client = dial(process.env.BEHALF_URL, { token: process.env.BEHALF_TOKEN });
const guard = new Guard({ client, log: console.error });
const may = (action) => guard.express((req) => app("skd", "taxreport").for(partyInPath(req.params, "party")).to(action));

const service = express();
service.get("/parties/:party/return", may("read"), (req, res) => {
  res.send(`the return of ${req.params.party} for user ${subjectFrom(req).user}\n`);
});
service.put("/parties/:party/return", may("write"), (req, res) => res.sendStatus(204));
service.listen(process.env.PORT, "127.0.0.1");

import { Reason, app, byOrgNumber, dial, partyObject, reasonOf, userSubject } from "@behalf-authz/client";

const client = dial(process.env.BEHALF_URL, { token: process.env.BEHALF_TOKEN });

for await (const party of client.parties({ user: 20000490, role: "DAGL" })) {
  console.log(party.partyId, party.name);
}
console.log(await client.mayRepresent(20000490, 50076451));

const question = { object: partyObject(50076451), permission: "has_utinn", subject: userSubject(20000491) };
console.log(await client.check(question));

const decision = await client.decide(app("skd", "taxreport").for(50076451).to("write").byUser(20000490));
console.log(decision.effect, decision.obligations[0]?.assignments[0]?.value);

await client.party(byOrgNumber("999999999")).catch((error) => {
  console.log(reasonOf(error) === Reason.PartyNotFound);
});

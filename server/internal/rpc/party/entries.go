package party

import (
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/party"
)

// Reference reads how a call names a party, for other services that do.
func Reference(ref *behalfv1.PartyReference) (party.Reference, error) { return reference(ref) }

// Message returns a party as the contract has it.
func Message(p party.Party) *behalfv1.Party { return partyMessage(p) }

// Messages returns entries of a list as the contract has them.
func Messages(entries []party.Entry) []*behalfv1.Party { return entryMessages(entries) }

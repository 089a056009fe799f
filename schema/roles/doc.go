// Package roles is the role catalogue: Altinn's roles, the roles that each brings along,
// its access packages, and which roles use or pass on which package.
//
// It owns the data in data/ and the names that the relations schema gives to roles and
// packages. It refuses who holds what: holdings are relationships, and what they give is
// decided by the schema that schema/relations compiles from this catalogue. Besides that
// compiler, the server calls it to read and to show roles.
//
// The data has one record a line:
//
//   - roles.json: the roles, in the order in which they are listed;
//   - implications.json: role → the roles that come with it;
//   - areas.json, packages.json: the access packages and how they are grouped;
//   - role_packages.json: role → packages it may use (access), pass on (delegate) or
//     appoint others for (assign), some for one unit type only.
package roles

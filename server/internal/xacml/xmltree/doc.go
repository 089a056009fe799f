// Package xmltree reads XML from outside into a small tree that remembers lines.
//
// It owns the limits on size, depth and number of nodes, the resolution of namespaces,
// and the navigation that XPath needs. It refuses document type definitions, entities
// other than the five of XML itself, encodings other than UTF-8 and everything that
// would make it open a file or a connection. The packages of xacml call it for
// policies and requests alike, so that one parser is hardened and not three.
package xmltree

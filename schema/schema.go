package schema

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io/fs"
)

//go:generate go run ./internal/generate

// OpenAPI is the OpenAPI 3.0 document of the native REST API.
//
//go:embed openapi/behalf.json
var OpenAPI []byte

// SourcesSum returns the SHA-256, in hexadecimal, of every file that the generated
// code is made from. root is the schema directory. The sum recorded beside the
// generated code differs from it when the code is stale.
func SourcesSum(root fs.FS) (string, error) {
	names := []string{"buf.gen.yaml", "http.yaml", "openapi.yaml"}
	protos, err := fs.Glob(root, "proto/behalf/v1/*.proto")
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, name := range append(names, protos...) {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(text))
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

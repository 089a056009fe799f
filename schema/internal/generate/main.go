package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/behalf-authz/behalf/schema"
)

// tools are the generators, pinned. They stay out of go.mod, so that a reader of
// our dependencies sees those of the server only.
var tools = []string{
	"github.com/bufbuild/buf/cmd/buf@v1.75.0",
	"google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12",
	"google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2",
	"github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-grpc-gateway@v2.32.0",
	"github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2@v2.32.0",
}

// protovalidate is the module that carries buf/validate/validate.proto.
const protovalidate = "github.com/bufbuild/protovalidate@v1.2.2"

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate() error {
	root, err := filepath.Abs("..") // go generate runs in schema/
	if err != nil {
		return err
	}
	bin := filepath.Join(root, ".ci", "bin")
	if err := installTools(root, bin); err != nil {
		return err
	}
	if err := fetchValidateProto(root); err != nil {
		return err
	}
	if err := run(root, bin, filepath.Join(bin, "buf"), "generate", "--template", "schema/buf.gen.yaml"); err != nil {
		return err
	}
	if err := convertOpenAPI(root); err != nil {
		return err
	}
	sum, err := schema.SourcesSum(os.DirFS(filepath.Join(root, "schema")))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "schema", "gen", "SOURCES.sha256"), []byte(sum+"\n"), 0o644)
}

func installTools(root, bin string) error {
	for _, tool := range tools {
		path, _, _ := strings.Cut(tool, "@")
		if _, err := os.Stat(filepath.Join(bin, filepath.Base(path))); err == nil {
			continue
		}
		if err := run(root, bin, "go", "install", tool); err != nil {
			return fmt.Errorf("install %s: %w", tool, err)
		}
	}
	return nil
}

func fetchValidateProto(root string) error {
	cmd := exec.Command("go", "mod", "download", "-json", protovalidate)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("download %s: %w", protovalidate, err)
	}
	var module struct{ Dir, Error string }
	if err := json.Unmarshal(out, &module); err != nil {
		return fmt.Errorf("download %s: %w", protovalidate, err)
	}
	if module.Error != "" {
		return errors.New(module.Error)
	}
	const name = "buf/validate/validate.proto"
	text, err := os.ReadFile(filepath.Join(module.Dir, "proto", "protovalidate", name))
	if err != nil {
		return err
	}
	target := filepath.Join(root, "schema", "third_party", name)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	return os.WriteFile(target, text, 0o644)
}

func run(dir, bin, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOBIN="+bin, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

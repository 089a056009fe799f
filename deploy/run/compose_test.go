package run

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// compose is what the tests read of a compose file.
type compose struct {
	Services map[string]service
	Secrets  map[string]struct{ File string }
	Configs  map[string]struct{ File string }
	Volumes  map[string]any
}

// service is one of its services.
type service struct {
	Image                            string
	Build                            any
	Command                          []string
	ReadOnly                         bool `yaml:"read_only"`
	Environment                      map[string]string
	Ports, Secrets, Configs, Volumes []string
	Tmpfs                            []string
	DependsOn                        map[string]struct{ Condition string } `yaml:"depends_on"`
}

func readCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	if err := yaml.Unmarshal([]byte(read(t, "compose.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// made are the files that the head of the compose file tells people to put beside it, and the key of the
// authority of their certificates.
var made = []string{"ca.key", "idp.secret", "issuer.key", "pgpass", "postgres-password", "session.keys", "tls"}

// TestCompose holds that what services name is there, or is said to be needed.
func TestCompose(t *testing.T) {
	c := readCompose(t)
	if want := []string{"behalf-1", "behalf-2", "idp", "migrate", "nginx", "postgres"}; !slices.Equal(slices.Sorted(maps.Keys(c.Services)), want) {
		t.Fatalf("the services are not %s", want)
	}
	for name, s := range c.Services {
		for _, secret := range s.Secrets {
			if file := c.Secrets[secret].File; !slices.Contains(made, file) {
				t.Errorf("%s: the secret %s is the file %q", name, secret, file)
			}
		}
		for _, config := range s.Configs {
			there(t, c.Configs[config].File)
		}
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			_, named := c.Volumes[source]
			if file, relative := strings.CutPrefix(source, "./"); !named && (!relative || !slices.Contains(made, file)) {
				there(t, source)
			}
		}
		if dir, ok := s.Build.(string); ok {
			there(t, filepath.Join(dir, "Dockerfile"))
		}
		for other, on := range s.DependsOn {
			if _, ok := c.Services[other]; !ok || on.Condition == "" {
				t.Errorf("%s depends on %s, %s", name, other, on.Condition)
			}
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s: others reach port %s, and log in as anybody", name, port)
			}
		}
		if s.Image != "postgres:17" && !s.ReadOnly {
			t.Errorf("%s can write its image", name)
		}
		s.holds(t, name)
	}
}

// holds says which file of its flags and environment a service has not been given.
func (s service) holds(t *testing.T, name string) {
	t.Helper()
	var given []string
	for _, secret := range s.Secrets {
		given = append(given, "/run/secrets/"+secret)
	}
	for _, config := range s.Configs {
		given = append(given, "/"+config)
	}
	for _, volume := range s.Volumes {
		given = append(given, strings.Split(volume, ":")[1])
	}
	for _, dir := range s.Tmpfs {
		dir, _, _ = strings.Cut(dir, ":")
		given = append(given, dir)
	}
	files := slices.Collect(maps.Values(s.Environment))
	for _, word := range s.Command {
		_, value, _ := strings.Cut(word, "=")
		files = append(files, word, value)
	}
	for _, file := range files {
		if strings.HasPrefix(file, "/") && !slices.ContainsFunc(given, func(path string) bool { return file == path || strings.HasPrefix(file, path+"/") }) {
			t.Errorf("%s: nothing is mounted at %s", name, file)
		}
	}
}

func there(t *testing.T, file string) {
	t.Helper()
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// TestMade holds that what people put beside the compose file is said there, and comes neither into an
// image nor into a commit.
func TestMade(t *testing.T) {
	head, _, _ := strings.Cut(read(t, "compose.yaml"), "\nname:")
	for _, file := range made {
		if !strings.Contains(head, file) && file != "ca.key" {
			t.Errorf("the head of the compose file does not name %s", file)
		}
		for _, list := range []string{"../../.gitignore", "Dockerfile.dockerignore"} {
			if !slices.ContainsFunc(strings.Fields(read(t, list)), func(line string) bool { return strings.Trim(line, "/") == "deploy/run/"+file }) {
				t.Errorf("%s does not have %s", list, file)
			}
		}
	}
}

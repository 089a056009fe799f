package helm

import (
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chartutil"
)

// TestRefused holds that values which cannot work are refused before anything is installed, and
// that the text says where and what.
func TestRefused(t *testing.T) {
	profiles := cases(t)
	for _, c := range []struct {
		name, profile, values string
		want                  []string
	}{
		{"two nodes of one file", "embedded", "replicas: 2", []string{"replicas: is 2", "mode postgres"}},
		{"no node", "embedded", "replicas: 0", []string{"replicas", "minimum"}},
		{"half a node", "postgres", "replicas: 1.5", []string{"replicas", "integer"}},
		{"another mode", "embedded", "mode: mysql", []string{"mode", "embedded", "postgres"}},
		{"a database beside a file", "embedded", "postgres: {host: db}", []string{"postgres: is not used by mode embedded"}},
		{"no database", "postgres", "postgres: {host: \"\"}", []string{"postgres.host: is empty"}},
		{"no password", "postgres", "postgres: {passwordSecret: {name: \"\"}}", []string{"postgres.passwordSecret.name: is empty"}},
		{"the password itself", "postgres", "postgres: {password: x}", []string{"postgres", "password"}},
		{"a password in the address", "postgres", "postgres: {host: \"behalf:x@db\"}", []string{"postgres/host", "pattern"}},
		{"another sslmode", "postgres", "postgres: {sslmode: prefer}", []string{"sslmode", "verify-full"}},
		{"own session keys for each", "postgres", "sessionKeysSecret: {name: \"\"}", []string{"sessionKeysSecret.name: is empty"}},
		{"own session keys for each of two", "postgres", "{replicas: 2, sessionKeysSecret: {name: \"\"}}", []string{"sessionKeysSecret.name: is empty"}},
		{"own signing keys for each", "postgres", "issuerKeySecret: {name: \"\"}", []string{"issuerKeySecret.name: is empty"}},
		{"no certificate", "embedded", "tls: {secret: \"\"}", []string{"tls.secret: is empty"}},
		{"plaintext with a certificate", "embedded", "tls: {plaintext: true}", []string{"tls.plaintext: goes without"}},
		{"no image", "embedded", "image: {repository: \"\"}", []string{"image.repository: is empty"}},
		{"a flag of the chart", "embedded", "settings: {tls-key: /x}", []string{"settings.tls-key: is set by the chart"}},
		{"another flag of the chart", "postgres", "settings: {issuer-key: /x}", []string{"settings.issuer-key: is set by the chart"}},
		{"a flag with dashes", "embedded", "settings: {--max-calls: 1}", []string{"settings", "--max-calls"}},
		{"no limit of memory", "embedded", "resources: {limits: {memory: null}}", []string{"resources/limits", "memory"}},
		{"a limit of no unit", "embedded", "resources: {limits: {memory: 2G}}", []string{"resources/limits/memory", "pattern"}},
		{"a misspelt value", "embedded", "replica: 1", []string{"replica"}},
		{"a policy for nobody", "embedded", "networkPolicy: {enabled: true}", []string{"networkPolicy.from: is empty"}},
		{"scrapes that trust nobody", "embedded", "serviceMonitor: {enabled: true}", []string{"serviceMonitor.tlsConfig: has none of ca, caFile and insecureSkipVerify"}},
		{"scrapes by a name alone", "embedded", "serviceMonitor: {enabled: true, tlsConfig: {serverName: behalf}}", []string{"serviceMonitor.tlsConfig: has none of ca"}},
		{"scrapes of nobody", "embedded", "{tls: {clientCASecret: clients}, serviceMonitor: {enabled: true, tlsConfig: {caFile: /ca}}}", []string{"serviceMonitor.tlsConfig: has no client certificate"}},
		{"scrapes without a key", "embedded", "{tls: {clientCASecret: clients}, serviceMonitor: {enabled: true, tlsConfig: {caFile: /ca, certFile: /cert}}}", []string{"serviceMonitor.tlsConfig: has no client certificate"}},
		{"both", "embedded", "{tls: {clientCASecret: clients}, serviceMonitor: {enabled: true}}", []string{"has none of ca", "has no client certificate"}},
		{"many at once", "embedded", "{replicas: 2, tls: {secret: \"\"}, image: {repository: \"\"}}", []string{"replicas: is 2", "tls.secret", "image.repository"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := render(t, chartutil.CoalesceTables(parse(t, c.values), profiles[c.profile]))
			if err == nil {
				t.Fatal("rendered")
			}
			t.Log(err)
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no word of %q", want)
				}
			}
		})
	}
}

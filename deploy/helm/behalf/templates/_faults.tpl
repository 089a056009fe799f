{{- /* What a schema cannot say, or not clearly. All faults are told at once. */ -}}
{{- define "behalf.check" -}}
{{- $v := .Values -}}
{{- $faults := list -}}
{{- if not $v.image.repository -}}
{{- $faults = append $faults "image.repository: is empty; build the image from deploy/run/Dockerfile and name it" -}}
{{- end -}}
{{- if and (not $v.tls.secret) (not $v.tls.plaintext) -}}
{{- $faults = append $faults "tls.secret: is empty; name a secret with tls.crt and tls.key, or set tls.plaintext where a mesh ends TLS before the pod" -}}
{{- end -}}
{{- if and $v.tls.plaintext (or $v.tls.secret $v.tls.clientCASecret) -}}
{{- $faults = append $faults "tls.plaintext: goes without tls.secret and tls.clientCASecret" -}}
{{- end -}}
{{- if eq $v.mode "embedded" -}}
{{- if ne (int $v.replicas) 1 -}}
{{- $faults = append $faults (printf "replicas: is %d, and the database of mode embedded is the file of one node; more nodes need mode postgres" (int $v.replicas)) -}}
{{- end -}}
{{- if or $v.postgres.host $v.postgres.passwordSecret.name -}}
{{- $faults = append $faults "postgres: is not used by mode embedded; set mode to postgres" -}}
{{- end -}}
{{- else -}}
{{- if not $v.postgres.host -}}
{{- $faults = append $faults "postgres.host: is empty, and mode postgres needs it" -}}
{{- end -}}
{{- if not $v.postgres.passwordSecret.name -}}
{{- $faults = append $faults "postgres.passwordSecret.name: is empty; name the secret with the password of postgres.user" -}}
{{- end -}}
{{- if and (gt (int $v.replicas) 1) (not $v.sessionKeysSecret.name) -}}
{{- $faults = append $faults "sessionKeysSecret.name: is empty; several nodes share the keys that seal sessions, or each ends those of the others" -}}
{{- end -}}
{{- if and (gt (int $v.replicas) 1) (not $v.issuerKeySecret.name) -}}
{{- $faults = append $faults "issuerKeySecret.name: is empty; several nodes share the key that signs tokens, or each refuses those of the others" -}}
{{- end -}}
{{- end -}}
{{- range $flag := list "audit-file" "config" "data-dir" "datastore" "demo" "drain-timeout" "grpc-addr" "help" "http-addr" "insecure-plaintext" "issuer-key" "issuers" "migrate" "routes" "session-keys" "tls-cert" "tls-client-ca" "tls-key" -}}
{{- if hasKey $v.settings $flag -}}
{{- $faults = append $faults (printf "settings.%s: is set by the chart, from its other values" $flag) -}}
{{- end -}}
{{- end -}}
{{- range $flag, $value := $v.settings -}}
{{- if not (regexMatch "^[a-z]+(-[a-z]+)*$" $flag) -}}
{{- $faults = append $faults (printf "settings.%s: is not the name of a flag, such as max-calls" $flag) -}}
{{- end -}}
{{- end -}}
{{- if and $v.networkPolicy.enabled (not $v.networkPolicy.from) -}}
{{- $faults = append $faults "networkPolicy.from: is empty, and nobody could ask; list the peers that may" -}}
{{- end -}}
{{- if and $v.serviceMonitor.enabled (not $v.tls.plaintext) -}}
{{- $tls := $v.serviceMonitor.tlsConfig -}}
{{- if not (or (get $tls "ca") (get $tls "caFile") (get $tls "insecureSkipVerify")) -}}
{{- $faults = append $faults "serviceMonitor.tlsConfig: has none of ca, caFile and insecureSkipVerify; name who signed the certificate of tls.secret, or every scrape fails" -}}
{{- end -}}
{{- if and $v.tls.clientCASecret (not (and (or (get $tls "cert") (get $tls "certFile")) (or (get $tls "keySecret") (get $tls "keyFile")))) -}}
{{- $faults = append $faults "serviceMonitor.tlsConfig: has no client certificate; set cert and keySecret, or certFile and keyFile, or with tls.clientCASecret every scrape fails" -}}
{{- end -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "these values cannot be installed:\n- %s" (join "\n- " $faults)) -}}
{{- end -}}
{{- end }}

{{- define "behalf.datastore" -}}
{{- if eq .Values.mode "embedded" -}}sqlite{{- else -}}
{{- with .Values.postgres -}}
postgres://{{ .user }}@{{ .host }}:{{ int .port }}/{{ .database }}?sslmode={{ .sslmode }}{{ if .caSecret.name }}&sslrootcert=/secrets/postgres/{{ .caSecret.key }}{{ end }}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Go's heap, in MiB: four fifths of the limit. */ -}}
{{- define "behalf.heap" -}}
{{- $limit := .Values.resources.limits.memory -}}
{{- $mib := int (regexFind "^[0-9]+" $limit) -}}
{{- if hasSuffix "Gi" $limit -}}{{- $mib = mul $mib 1024 -}}{{- end -}}
{{- div (mul $mib 4) 5 -}}MiB
{{- end }}

{{- define "behalf.setting" -}}
{{- if kindIs "slice" . }}{{ join "," . }}{{ else if kindIs "float64" . }}{{ if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}{{ else }}{{ . }}{{ end -}}
{{- end }}

{{- define "behalf.env" -}}
- {name: GOMEMLIMIT, value: {{ include "behalf.heap" . }}}
{{- if eq .Values.mode "postgres" }}
- name: PGPASSWORD
  valueFrom:
    secretKeyRef: {{ dict "name" .Values.postgres.passwordSecret.name "key" .Values.postgres.passwordSecret.key | toJson }}
{{- end }}
{{- end }}

{{- define "behalf.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* What the pods of servers and of the migration have in common. */ -}}
{{- define "behalf.podCommon" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  # Once only: at every start it would let the group read key files, which the server refuses.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "behalf.postgresMount" -}}
{{- if and (eq .Values.mode "postgres") .Values.postgres.caSecret.name }}
- {name: postgres, mountPath: /secrets/postgres, readOnly: true}
{{- end }}
{{- end }}

{{- define "behalf.postgresVolume" -}}
{{- if and (eq .Values.mode "postgres") .Values.postgres.caSecret.name }}
{{- with .Values.postgres.caSecret }}
- name: postgres
  secret: {{ dict "secretName" .name "items" (list (dict "key" .key "path" .key)) "defaultMode" 0o440 | toJson }}
{{- end }}
{{- end }}
{{- end }}

{{- define "behalf.probe" -}}
{{- if .root.Values.tls.clientCASecret -}}
tcpSocket: {port: http}
{{- else -}}
httpGet: {path: {{ .path }}, port: http, scheme: {{ ternary "HTTP" "HTTPS" .root.Values.tls.plaintext }}}
{{- end }}
{{- end }}

{{- define "behalf.name" -}}
{{- $name := ternary .Release.Name (printf "%s-behalf" .Release.Name) (contains "behalf" .Release.Name) -}}
{{- $name | trunc 48 | trimSuffix "-" -}}
{{- end }}

{{- define "behalf.selector" -}}
app.kubernetes.io/name: behalf
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end }}

{{- define "behalf.labels" -}}
{{ include "behalf.selector" . }}
{{ include "behalf.release" . }}
{{- end }}

{{- define "behalf.release" -}}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "behalf.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end }}

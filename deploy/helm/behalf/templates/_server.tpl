{{- define "behalf.serveArgs" -}}
- serve
- --data-dir=/data/behalf
- --datastore={{ include "behalf.datastore" . }}
- --grpc-addr=:7400
- --http-addr=:7480
{{- if .Values.tls.plaintext }}
- --insecure-plaintext
{{- else }}
- --tls-cert=/secrets/tls/tls.crt
- --tls-key=/secrets/tls/tls.key
{{- if .Values.tls.clientCASecret }}
- --tls-client-ca=/secrets/client-ca/ca.crt
{{- end }}
{{- end }}
{{- if .Values.sessionKeysSecret.name }}
- --session-keys=/secrets/session/{{ .Values.sessionKeysSecret.key }}
{{- end }}
{{- if .Values.issuerKeySecret.name }}
- --issuer-key=/secrets/issuer-key/{{ .Values.issuerKeySecret.key }}
{{- end }}
{{- if .Values.issuersSecret.name }}
- --issuers=/secrets/issuers/{{ .Values.issuersSecret.key }}
{{- end }}
{{- if .Values.routesConfigMap.name }}
- --routes=/config/routes/{{ .Values.routesConfigMap.key }}
{{- end }}
- --drain-timeout={{ int .Values.stop.drainSeconds }}s
{{- range $flag, $value := .Values.settings }}
- {{ printf "--%s=%s" $flag (include "behalf.setting" $value) | quote }}
{{- end }}
{{- end }}

{{- /* A directory each, never a single file (subPath): those would not change with the secret. */ -}}
{{- define "behalf.files" -}}
{{- $files := list -}}
{{- with .Values.tls.secret }}{{ $files = append $files (dict "name" "tls" "path" "/secrets/tls" "secret" .) }}{{ end -}}
{{- with .Values.tls.clientCASecret }}{{ $files = append $files (dict "name" "client-ca" "path" "/secrets/client-ca" "secret" .) }}{{ end -}}
{{- with .Values.sessionKeysSecret.name }}{{ $files = append $files (dict "name" "session" "path" "/secrets/session" "secret" .) }}{{ end -}}
{{- with .Values.issuerKeySecret.name }}{{ $files = append $files (dict "name" "issuer-key" "path" "/secrets/issuer-key" "secret" .) }}{{ end -}}
{{- with .Values.issuersSecret.name }}{{ $files = append $files (dict "name" "issuers" "path" "/secrets/issuers" "secret" .) }}{{ end -}}
{{- with .Values.routesConfigMap.name }}{{ $files = append $files (dict "name" "routes" "path" "/config/routes" "configMap" .) }}{{ end -}}
{{- dict "files" $files | toJson -}}
{{- end }}

{{- define "behalf.serverPod" -}}
metadata:
  labels:
    {{- include "behalf.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with .Values.podAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "behalf.podCommon" . | nindent 2 }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ add .Values.stop.waitSeconds .Values.stop.drainSeconds 10 }}
  {{- if eq .Values.mode "postgres" }}
  affinity:
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
        - weight: 100
          podAffinityTerm:
            topologyKey: kubernetes.io/hostname
            labelSelector: {{ dict "matchLabels" (include "behalf.selector" . | fromYaml) | toJson }}
        - weight: 50
          podAffinityTerm:
            topologyKey: topology.kubernetes.io/zone
            labelSelector: {{ dict "matchLabels" (include "behalf.selector" . | fromYaml) | toJson }}
  {{- end }}
  containers:
    - name: behalf
      image: {{ include "behalf.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: {{- include "behalf.serveArgs" . | nindent 8 }}
      env: {{- include "behalf.env" . | nindent 8 }}
      ports:
        - {name: grpc, containerPort: 7400}
        - {name: http, containerPort: 7480}
      startupProbe:
        {{- include "behalf.probe" (dict "root" . "path" "/livez") | nindent 8 }}
        periodSeconds: 2
        timeoutSeconds: 3
        failureThreshold: {{ div (add .Values.startSeconds 1) 2 }}
      livenessProbe:
        {{- include "behalf.probe" (dict "root" . "path" "/livez") | nindent 8 }}
        periodSeconds: 10
        timeoutSeconds: 3
        failureThreshold: 3
      readinessProbe:
        {{- include "behalf.probe" (dict "root" . "path" "/readyz") | nindent 8 }}
        periodSeconds: 3
        timeoutSeconds: 3
        failureThreshold: 2
      lifecycle:
        preStop: {sleep: {seconds: {{ int .Values.stop.waitSeconds }}}}
      resources: {{- toYaml .Values.resources | nindent 8 }}
      securityContext: {{- include "behalf.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - {name: data, mountPath: /data}
        {{- range (include "behalf.files" . | fromJson).files }}
        - {name: {{ .name }}, mountPath: {{ .path }}, readOnly: true}
        {{- end }}
        {{- include "behalf.postgresMount" . | trim | nindent 8 }}
  volumes:
    {{- if eq .Values.mode "postgres" }}
    - {name: data, emptyDir: {}} # a node's own keys; all else is in the database
    {{- end }}
    {{- range (include "behalf.files" . | fromJson).files }}
    - name: {{ .name }}
      {{- if hasKey . "secret" }}
      secret: {secretName: {{ .secret }}, defaultMode: 0440}
      {{- else }}
      configMap: {name: {{ .configMap }}}
      {{- end }}
    {{- end }}
    {{- include "behalf.postgresVolume" . | trim | nindent 4 }}
{{- end }}

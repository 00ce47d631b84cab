{{/* What a container may do: nothing but compute, and write to its volumes. */}}
{{- define "setun.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: ["ALL"]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "setun.pod" -}}
serviceAccountName: {{ include "setun.serviceAccountName" . }}
automountServiceAccountToken: false
# Else the variables of a Service named setun-… would look like settings.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ include "setun.gracePeriodSeconds" . }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- with .Values.runAsUser }}
  runAsUser: {{ int64 . }}
  runAsGroup: {{ int64 . }}
  {{- end }}
  {{- with .Values.fsGroup }}
  fsGroup: {{ int64 . }}
  fsGroupChangePolicy: OnRootMismatch
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- if eq .Values.model.source "hub" }}
initContainers:
  {{- include "setun.pullContainer" . | nindent 2 }}
{{- end }}
containers:
  {{- include "setun.serverContainer" . | nindent 2 }}
volumes:
  {{- include "setun.volumes" . | nindent 2 }}
{{- include "setun.placement" . }}
{{- end }}

{{/* Fetches the model, or goes on fetching it; what is there and right is not fetched again. */}}
{{- define "setun.pullContainer" -}}
- name: pull
  image: {{ include "setun.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
    - pull
    - {{ .Values.model.hub.model | quote }}
    {{- with .Values.model.hub.file }}
    - --file
    - {{ . | quote }}
    {{- end }}
  env:
    - name: SETUN_MODELS
      value: /models
    {{- with .Values.model.hub.endpoint }}
    - name: HF_ENDPOINT
      value: {{ . | quote }}
    {{- end }}
    {{- if .Values.model.hub.tokenSecret }}
    - name: HF_TOKEN
      valueFrom:
        secretKeyRef:
          name: {{ .Values.model.hub.tokenSecret }}
          key: {{ .Values.model.hub.tokenKey }}
    {{- end }}
    {{- with .Values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- include "setun.containerSecurity" . | nindent 4 }}
  volumeMounts:
    - name: tmp
      mountPath: /tmp
    - name: models
      mountPath: /models
{{- end }}

{{- define "setun.serverContainer" -}}
{{- $management := include "setun.managementPortName" . -}}
- name: setun
  image: {{ include "setun.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args: ["serve"]
  env:
    - name: SPRING_CONFIG_ADDITIONAL_LOCATION
      value: file:/etc/setun/config/
    {{- with include "setun.jvmFlags" . }}
    - name: JDK_JAVA_OPTIONS
      value: {{ . | quote }}
    {{- end }}
    {{- if not .Values.threads }}
    {{- with ternary "limits" "requests" (hasKey (default dict .Values.resources.limits) "cpu") }}
    {{- if hasKey (default dict (get $.Values.resources .)) "cpu" }}
    # As many as there are processors to run them, rounded up.
    - name: SETUN_ENGINE_THREADS
      valueFrom:
        resourceFieldRef:
          containerName: setun
          resource: {{ . }}.cpu
          divisor: "1"
    {{- end }}
    {{- end }}
    {{- end }}
    {{- if .Values.redis.secret }}
    - name: SETUN_REDIS_URL
      valueFrom:
        secretKeyRef:
          name: {{ .Values.redis.secret }}
          key: {{ .Values.redis.key }}
    {{- end }}
    {{- with .Values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - name: http
      containerPort: {{ include "setun.port" . }}
      protocol: TCP
    {{- if eq $management "management" }}
    - name: management
      containerPort: {{ .Values.management.port }}
      protocol: TCP
    {{- end }}
  # Alive as soon as it listens; ready when the model has answered.
  startupProbe:
    httpGet:
      path: /actuator/health/liveness
      port: {{ $management }}
    periodSeconds: {{ .Values.probes.periodSeconds }}
    timeoutSeconds: 5
    failureThreshold: {{ divf .Values.probes.startupSeconds .Values.probes.periodSeconds | ceil | int }}
  readinessProbe:
    httpGet:
      path: /actuator/health/readiness
      port: {{ $management }}
    periodSeconds: {{ .Values.probes.periodSeconds }}
    timeoutSeconds: 5
    failureThreshold: 2
  livenessProbe:
    httpGet:
      path: /actuator/health/liveness
      port: {{ $management }}
    periodSeconds: {{ .Values.probes.periodSeconds }}
    timeoutSeconds: 5
    failureThreshold: {{ .Values.probes.livenessFailureThreshold }}
  {{- with .Values.shutdown.preStopSeconds }}
  lifecycle:
    # Until every proxy knows that this replica takes nothing new, it still does.
    preStop:
      sleep:
        seconds: {{ . }}
  {{- end }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- include "setun.containerSecurity" . | nindent 4 }}
  volumeMounts:
    - name: tmp
      mountPath: /tmp
    - name: config
      mountPath: /etc/setun/config
      readOnly: true
    {{- if .Values.apiKeys.secret }}
    - name: api-keys
      mountPath: /etc/setun/keys
      readOnly: true
    {{- end }}
    {{- if ne .Values.model.source "bundled" }}
    - name: models
      mountPath: /models
      readOnly: true
    {{- end }}
{{- end }}

{{- define "setun.volumes" -}}
# Native libraries are unpacked here, and the model that ships.
- name: tmp
  emptyDir:
    sizeLimit: 1Gi
- name: config
  configMap:
    name: {{ include "setun.fullname" . }}
{{- if .Values.apiKeys.secret }}
- name: api-keys
  secret:
    secretName: {{ .Values.apiKeys.secret }}
    defaultMode: 0440
    items:
      - key: {{ .Values.apiKeys.key }}
        path: api-keys
{{- end }}
{{- if eq .Values.model.source "claim" }}
- name: models
  persistentVolumeClaim:
    claimName: {{ .Values.model.claim }}
    readOnly: true
{{- else if and (eq .Values.model.source "hub") .Values.model.hub.claim }}
- name: models
  persistentVolumeClaim:
    claimName: {{ .Values.model.hub.claim }}
{{- else if eq .Values.model.source "hub" }}
- name: models
  emptyDir:
    sizeLimit: {{ .Values.model.hub.size }}
{{- end }}
{{- end }}

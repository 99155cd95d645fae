// Where the CRDs of the operators and the values of their charts come from: whole modules, of which only the files in
// crds.txt are kept.
// Versions are those of manifests/docs/prerequisites.md.
module crds

go 1.26.4

require (
	github.com/cert-manager/cert-manager v1.21.2
	github.com/cloudnative-pg/cloudnative-pg v1.30.0
	github.com/prometheus-operator/prometheus-operator v0.93.0
	sigs.k8s.io/gateway-api v1.6.3
	sigs.k8s.io/metrics-server v0.9.0
)

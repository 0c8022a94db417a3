# An image with one static program and no shell.
#
#   docker build -t suar .
#   docker run -d --name suar --restart unless-stopped \
#     --read-only --cap-drop ALL --security-opt no-new-privileges \
#     --ulimit memlock=-1:-1 --ulimit core=0:0 \
#     -p 127.0.0.2:8075:8075 \
#     -v /srv/suar/suar.yaml:/etc/suar/suar.yaml:ro \
#     -v /srv/suar/recipients:/etc/suar/recipients:ro \
#     -v /srv/suar/directory.yaml:/etc/suar/directory.yaml:ro \
#     -v /srv/suar/secrets:/run/secrets:ro \
#     -v /srv/suar/data:/data \
#     suar
#
# docs/install.md says what belongs into /srv/suar, and that data and secrets
# must belong to 65532; deploy/suar-docker.yaml is the configuration.
#
# The tag below moves with Go's security releases. For an image that can be
# built again bit by bit, pin it: golang:1.26-bookworm@sha256:… with the digest
# that `docker buildx imagetools inspect golang:1.26-bookworm` prints, and move
# it on purpose.
FROM golang:1.26-bookworm AS build
WORKDIR /src

# The modules change less often than the code, so they are a layer of their own.
COPY go.mod go.sum ./
RUN go mod download

# .dockerignore lets only the source in: no data, no configuration, no secret.
COPY . .
RUN mkdir -p /out/data \
	&& CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o /out/suar ./cmd/suar

FROM scratch

# What the program reads of a system: the authorities it trusts, and the time
# zones in which officers are on duty.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /usr/share/zoneinfo.zip
ENV ZONEINFO=/usr/share/zoneinfo.zip

COPY --from=build /out/suar /suar

# The store is the only thing written. Nothing else needs to be writable: run
# with a read-only root. A volume made from this folder keeps its owner; a
# folder of the host must belong to 65532.
COPY --from=build --chown=65532:65532 --chmod=0700 /out/data /data
VOLUME /data

# A number, so that an orchestrator can tell that it is not root.
USER 65532:65532

ENTRYPOINT ["/suar"]
CMD ["serve", "--config", "/etc/suar/suar.yaml"]

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /out/agentserver . && mkdir /out/data

# Certificates, time zones and an unprivileged user, but no shell.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/agentserver /usr/local/bin/agentserver
COPY --from=build --chown=nonroot:nonroot /out/data /data
ENV AGENTSERVER_LISTEN=0.0.0.0:8006 AGENTSERVER_DATA_DIR=/data
VOLUME /data
EXPOSE 8006
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
	CMD ["/usr/local/bin/agentserver", "health"]
ENTRYPOINT ["/usr/local/bin/agentserver"]
CMD ["serve"]

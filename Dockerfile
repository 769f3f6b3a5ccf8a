# syntax=docker/dockerfile:1

# The toolchain is the one of rust-toolchain.toml, which .dockerignore leaves out: it would make rustup fetch rustfmt and clippy too.
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
# Downloads and compiled dependencies stay in caches of the builder, not in a layer. The binary is copied out of its cache, as a cache
# is not there for later instructions.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --package meunier-server \
    && strip --strip-debug --output-file=/usr/local/bin/meunier target/release/meunier

FROM debian:bookworm-slim
# The certificates are for Kafka over TLS; all else is linked into the binary.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin meunier \
    && install --directory --owner=meunier --group=meunier /data
COPY --from=build /usr/local/bin/meunier /usr/local/bin/meunier
USER meunier
# A new named volume takes over the owner of this folder.
VOLUME /data
EXPOSE 8099
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=5 \
    CMD ["meunier", "health", "--server", "http://127.0.0.1:8099"]
ENTRYPOINT ["meunier"]
CMD ["serve", "--listen", "0.0.0.0:8099", "--data-dir", "/data"]

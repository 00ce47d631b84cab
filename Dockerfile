# syntax=docker/dockerfile:1
# Setun's image: a Java runtime of only the modules that it needs, the jar taken apart, the JVM's cache of what a run of it
# loads, and the native libraries unpacked. It runs as a user without a name, on a file system that it need not write to but
# for /tmp. For another platform: docker buildx build --platform linux/arm64 .

ARG JDK_IMAGE=eclipse-temurin:25.0.3_9-jdk-noble
# The C library must not be older than that of the image above. Alpine's is none that the tokenizer library runs with.
ARG BASE_IMAGE=debian:13.6-slim

FROM ${JDK_IMAGE} AS build
# The kernels in C need a compiler.
RUN --mount=type=cache,sharing=locked,target=/var/cache/apt --mount=type=cache,sharing=locked,target=/var/lib/apt/lists \
    apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev
WORKDIR /src
COPY .mvn/ .mvn/
COPY mvnw pom.xml ./
COPY src/main/ src/main/
RUN --mount=type=cache,target=/root/.m2 \
    ./mvnw -B -ntp package -Dmaven.test.skip=true -Dspotless.check.skip=true

ENV SETUN_HOME=/opt/setun
# What jdeps says of the jar and its libraries, and besides: zip files as file systems, and jcmd, which shows what a running JVM does.
# The elliptic curves that TLS needs are in java.base since JDK 22.
RUN "$JAVA_HOME/bin/jlink" --output "$SETUN_HOME/jre" --strip-java-debug-attributes --no-header-files --no-man-pages --compress=zip-6 \
    --add-modules java.base,java.compiler,java.desktop,java.instrument,java.logging,java.management,java.naming,java.net.http \
    --add-modules java.prefs,java.scripting,java.security.jgss,java.sql,java.xml,jdk.incubator.vector,jdk.jcmd \
    --add-modules jdk.jfr,jdk.management,jdk.net,jdk.unsupported,jdk.zipfs
# The cache is of use where the files lie as here; the same run unpacks the tokenizer library.
RUN mkdir "$SETUN_HOME/native" \
    && cp target/classes/native/*/libsetun.so "$SETUN_HOME/native/" \
    && DJL_CACHE_DIR="$SETUN_HOME/native" "$SETUN_HOME/jre/bin/java" "-Dsetun.native-library=$SETUN_HOME/native/libsetun.so" \
        -jar target/setun.jar aot-cache "$SETUN_HOME/app" \
    && chmod -R a+rX "$SETUN_HOME" \
    && mkdir models

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0-SNAPSHOT
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Setun" \
    org.opencontainers.image.description="An inference server for ternary sparse language models" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.created="${CREATED}"
COPY --from=build /opt/setun/ /opt/setun/
COPY --from=build --chown=65532:65532 /src/models/ /models/
# setun pull puts models there, in a home that need not be writable.
ENV DJL_CACHE_DIR=/opt/setun/native \
    HOME=/tmp \
    SETUN_MODELS=/models
USER 65532:65532
WORKDIR /models
VOLUME /models
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=5m --start-interval=2s --retries=3 \
    CMD ["/opt/setun/jre/bin/java", "-XX:TieredStopAtLevel=1", "@/opt/setun/app/java-options", "-jar", "/opt/setun/app/setun.jar", "health"]
# The JVM itself is process 1 and gets the signals. More of its flags: JDK_JAVA_OPTIONS.
ENTRYPOINT ["/opt/setun/jre/bin/java", "-Dsetun.native-library=/opt/setun/native/libsetun.so", "@/opt/setun/app/java-options", "-jar", "/opt/setun/app/setun.jar"]
CMD ["serve"]

#!/usr/bin/env bash
# Brings Apache Pinot's engine as jars, compiles PinotEngine.java against it and prints the class path. Java 17 and Maven.
#
# Jars and classes stay in ${XDG_CACHE_HOME:-~/.cache}/meunier/pinot. Maven Central has Pinot's segments and engine (pinot-core and what it
# is made of) but neither its server, its multi-stage engine nor its Kafka plugin, so a whole cluster cannot be had from there.
set -euo pipefail

PINOT_VERSION=${PINOT_VERSION:-1.5.1}
readonly COPY_GOAL=org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies

folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/meunier/pinot

# The versions of everything below pinot-core are those of Pinot's own parent.
pom() {
  cat <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>meunier</groupId>
  <artifactId>pinot-engine</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencyManagement>
    <dependencies>
      <dependency>
        <groupId>org.apache.pinot</groupId>
        <artifactId>pinot</artifactId>
        <version>$PINOT_VERSION</version>
        <type>pom</type>
        <scope>import</scope>
      </dependency>
    </dependencies>
  </dependencyManagement>
  <dependencies>
    <dependency>
      <groupId>org.apache.pinot</groupId>
      <artifactId>pinot-core</artifactId>
      <version>$PINOT_VERSION</version>
    </dependency>
  </dependencies>
</project>
POM
}

# Both are made in a folder of their own and renamed, so that a half-done one is never taken for a whole one.
jars=$cache/jars-$PINOT_VERSION-$(pom | cksum | cut -d' ' -f1)
classes=$cache/classes-$PINOT_VERSION-$(cksum <"$folder/PinotEngine.java" | cut -d' ' -f1)
mkdir -p "$cache"
if [[ ! -d $jars ]]; then
  partial=$(mktemp -d "$cache/fetch.XXXXXX")
  pom >"$partial/pom.xml"
  mvn --batch-mode --quiet --no-transfer-progress --file "$partial/pom.xml" "$COPY_GOAL" \
    -DincludeScope=runtime -DoutputDirectory="$partial/jars" </dev/null >&2
  mv -T "$partial/jars" "$jars"
  rm -rf "$partial"
fi
if [[ ! -d $classes ]]; then
  partial=$(mktemp -d "$cache/compile.XXXXXX")
  javac -nowarn -cp "$jars/*" -d "$partial" "$folder/PinotEngine.java" >&2
  mv -T "$partial" "$classes"
fi
echo "$classes:$jars/*"

"""Proves, without Docker, that what docker-compose.yml and Dockerfile name exists.

usage: check-compose.py --meunier PATH      (PyYAML, a built `meunier`, and the Kafka jars that scripts/kafka.sh brings)

Commands, flags and MEUNIER_* variables are held against the help texts of the binary; KAFKA_* variables against the keys of the broker
of the same version, whose own parser then reads them; files, services, volumes, ports and addresses against each other and the tree.
Prints every fault and exits 1, or prints how many checks held.
"""

import argparse
import functools
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
KAFKA_SH = ROOT / "scripts/kafka.sh"

SERVICE_KEYS = {
    *("image", "build", "entrypoint", "command", "environment", "hostname", "ports", "volumes", "tmpfs", "depends_on", "healthcheck"),
    *("restart", "stop_grace_period", "init", "read_only", "cap_drop", "security_opt"),
}
HEALTHCHECK_KEYS = {"test", "interval", "timeout", "start_period", "retries", "disable"}
# Read by the image's start scripts, not by the broker.
KAFKA_IMAGE_VARIABLES = {"CLUSTER_ID", "KAFKA_HEAP_OPTS"}
KAFKA_SCRIPT_CLASSES = {
    "/opt/kafka/bin/kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "/opt/kafka/bin/kafka-broker-api-versions.sh": "org.apache.kafka.tools.BrokerApiVersionsCommand",
}


class Checks:
    """Counts what held and keeps what did not."""

    def __init__(self):
        self.held = 0
        self.faults = []

    def that(self, holds, fault):
        if holds:
            self.held += 1
        else:
            self.faults.append(fault)
        return holds


# --- what is there to be named --------------------------------------------------------------------------------------


def spoken(path):
    return " ".join(["meunier", *path])


class Meunier:
    """The commands, flags and variables that a binary's help texts list."""

    def __init__(self, binary):
        self.binary = binary

    @functools.cache
    def help(self, *command):
        ran = subprocess.run([self.binary, *command, "--help"], capture_output=True, text=True, timeout=60)
        if ran.returncode != 0:
            sys.exit(f"`{spoken(command)} --help` failed: {ran.stderr.strip()}")
        return ran.stdout

    def subcommands(self, *command):
        section = re.search(r"^Commands:\n((?:  .*\n|\n)+)", self.help(*command), re.MULTILINE)
        return re.findall(r"^  ([a-z][a-z-]*)", section.group(1), re.MULTILINE) if section else []

    def flags(self, *command):
        """Returns each flag with whether it takes a value, and the values it is limited to, if it is."""
        flags = {}
        for part in re.split(r"^(?= +(?:-\w, )?--[a-z])", self.help(*command), flags=re.MULTILINE)[1:]:
            name, value = re.match(r" +(?:-\w, )?(--[a-z][a-z0-9-]*)([ =]<)?", part).groups()
            limits = re.search(r"\[possible values: ([^\]]*)\]", part)
            bullets = re.findall(r"^\s+- ([a-z0-9_-]+):", part.partition("Possible values:")[2], re.MULTILINE)
            flags[name] = (bool(value), re.split(r",\s*", limits.group(1)) if limits else bullets)
        return flags

    def variables(self, *command):
        return re.findall(r"\[env: ([A-Z0-9_]+)", self.help(*command))


def kafka_java(*arguments):
    return subprocess.run([KAFKA_SH, "java", *arguments], capture_output=True, text=True, timeout=600)


def kafka_property(variable):
    """Returns the server property that the image makes of a variable: `___` is `-`, `__` is `_`, `_` is `.`."""
    signs = {"___": "-", "__": "_", "_": "."}
    return re.sub("_{1,3}", lambda run: signs[run.group()], variable.removeprefix("KAFKA_")).lower()


class Dockerfile:
    """The instructions, in order: (stage, keyword, rest)."""

    def __init__(self, path):
        text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
        self.instructions, self.stages = [], {}
        for line in filter(None, map(str.strip, text.splitlines())):
            keyword, _, rest = line.partition(" ")
            if keyword == "FROM":
                image, _, stage = rest.partition(" AS ")
                stage = stage or "final"
                self.stages[stage] = image
            self.instructions.append((stage, keyword, " ".join(rest.split())))

    def all(self, keyword, stage="final"):
        return [rest for at, word, rest in self.instructions if (at, word) == (stage, keyword)]

    def command(self, keyword):
        """Returns the final stage's ENTRYPOINT, CMD or HEALTHCHECK, which must be in JSON form."""
        rest = self.all(keyword)
        return json.loads(rest[-1][rest[-1].index("[") :]) if rest else []


# --- commands -------------------------------------------------------------------------------------------------------


def check_flags(checks, where, flags, arguments):
    rest = list(arguments)
    while rest:
        flag, inline, value = rest.pop(0).partition("=")
        if not checks.that(flag in flags, f"{where}: there is no `{flag}`, only {sorted(flags)}"):
            continue
        takes_value, limits = flags[flag]
        if takes_value and not inline:
            if not checks.that(rest and not rest[0].startswith("--"), f"{where}: `{flag}` takes a value"):
                continue
            value = rest.pop(0)
        checks.that(takes_value or not inline, f"{where}: `{flag}` takes no value")
        checks.that(not limits or value in limits, f"{where}: `{flag}` takes one of {limits}, not `{value}`")


def check_meunier_command(checks, where, meunier, argv):
    """Walks the subcommands, then holds the flags against the last one's help. Returns the subcommands."""
    checks.that(argv[0] == "meunier", f"{where}: runs `{argv[0]}`, not `meunier`")
    path, rest = [], argv[1:]
    while rest and not rest[0].startswith("-"):
        if not checks.that(rest[0] in meunier.subcommands(*path), f"{where}: `{spoken(path)}` has no `{rest[0]}`"):
            return path
        path.append(rest.pop(0))
    checks.that(not meunier.subcommands(*path), f"{where}: `{spoken(path)}` asks for one of its commands")
    check_flags(checks, where, meunier.flags(*path), rest)
    return path


def check_kafka_command(checks, where, argv):
    script = KAFKA_SCRIPT_CLASSES.get(argv[0])
    if not checks.that(script, f"{where}: `{argv[0]}` is none of {sorted(KAFKA_SCRIPT_CLASSES)}"):
        return
    helped = kafka_java(script, "--help")
    text = helped.stdout + helped.stderr
    # Kafka's tools print `--flag <Type: meaning>`, where the name may be broken before its value.
    flags = {name: (bool(value), []) for name, value in re.findall(r"^(--[a-z][a-z-]*)(\s+<)?", text, re.MULTILINE)}
    if checks.that(flags, f"{where}: {script} printed no flags: {text[:200]}"):
        check_flags(checks, where, flags, argv[1:])


def value_of(argv, flag):
    return argv[argv.index(flag) + 1] if flag in argv[:-1] else None


# --- the Dockerfile -------------------------------------------------------------------------------------------------


def check_dockerfile(checks, dockerfile, meunier):
    check_build(checks, dockerfile)
    for copied in dockerfile.all("COPY"):
        source = re.match(r"--from=(\S+) (\S+) ", copied)
        checks.that(source and source.group(1) in dockerfile.stages, f"Dockerfile: `COPY {copied}` names no stage above it")
        built = source and any(source.group(2) in run for run in dockerfile.all("RUN", source.group(1)))
        checks.that(built, f"Dockerfile: no `RUN` of the stage writes what `COPY {copied}` takes")
    user = dockerfile.all("USER")
    checks.that(user and user[-1] not in ("root", "0"), "Dockerfile: the final image runs as root")
    checks.that(
        user and any(re.search(rf"useradd .*\b{user[-1]}\b", run) for run in dockerfile.all("RUN")),
        "Dockerfile: nothing makes its user",
    )
    entrypoint, command, health = map(dockerfile.command, ("ENTRYPOINT", "CMD", "HEALTHCHECK"))
    check_meunier_command(checks, "Dockerfile CMD", meunier, entrypoint + command)
    check_meunier_command(checks, "Dockerfile HEALTHCHECK", meunier, health)
    port = (value_of(command, "--listen") or "").rpartition(":")[2]
    checks.that(dockerfile.all("EXPOSE") == [port], f"Dockerfile: EXPOSE is not the port it listens on, {port}")
    checks.that((value_of(health, "--server") or "").endswith(f":{port}"), f"Dockerfile: HEALTHCHECK does not ask port {port}")
    checks.that(dockerfile.all("VOLUME") == [value_of(command, "--data-dir")], "Dockerfile: VOLUME is not the data directory")


def check_build(checks, dockerfile):
    toolchain = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
    image = dockerfile.stages["build"]
    checks.that(image.startswith(f"rust:{toolchain}-"), f"Dockerfile: builds with {image}, rust-toolchain.toml says {toolchain}")
    build = " ".join(dockerfile.all("RUN", "build"))
    package = re.search(r"--package (\S+)", build).group(1)
    manifests = [tomllib.loads(path.read_text()) for path in ROOT.glob("*/Cargo.toml")]
    server = next((found for found in manifests if found["package"]["name"] == package), None)
    if checks.that(server, f"Dockerfile: the workspace has no package `{package}`"):
        checks.that(
            "meunier" in [binary["name"] for binary in server.get("bin", [])], f"Dockerfile: `{package}` builds no `meunier`"
        )
    lock = (ROOT / "Cargo.lock").exists()
    checks.that(lock, "Dockerfile: builds with --locked, and there is no Cargo.lock")


# --- the compose file -----------------------------------------------------------------------------------------------


def load_compose(checks):
    """Reads the file as compose does, every `${NAME:-default}` taken as its default."""
    text = (ROOT / "docker-compose.yml").read_text()
    for variable in re.findall(r"\$\{([^}]*)\}", text):
        checks.that(":-" in variable, f"docker-compose.yml: `${{{variable}}}` has no default")
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))


class Service:
    """One service, with what it takes over from the Dockerfile when it is built from it."""

    def __init__(self, name, body, dockerfile):
        self.name, self.body = name, body
        self.where = f"docker-compose.yml, {name}"
        self.ours = "build" in body
        self.environment = {key: str(value) for key, value in body.get("environment", {}).items()}
        self.entrypoint = body.get("entrypoint", dockerfile.command("ENTRYPOINT") if self.ours else [])
        self.command = body.get("command", dockerfile.command("CMD") if self.ours else [])
        health = body.get("healthcheck", {})
        self.health = (
            [] if health.get("disable") else health.get("test", ["CMD"] + dockerfile.command("HEALTHCHECK") if self.ours else [])
        )

    def argv(self):
        return self.entrypoint + self.command

    def ports(self):
        """Returns the ports it listens on."""
        if self.ours:
            listen = value_of(self.command, "--listen")
            return {listen.rpartition(":")[2]} if listen else set()
        return {address.rpartition(":")[2] for address in self.environment.get("KAFKA_LISTENERS", "").split(",") if address}


def check_compose(checks, compose, dockerfile, meunier):
    services = {name: Service(name, body, dockerfile) for name, body in compose["services"].items()}
    for service in services.values():
        for key in set(service.body) - SERVICE_KEYS:
            checks.that(False, f"{service.where}: `{key}` is none of the keys this check knows")
        for key in set(service.body.get("healthcheck", {})) - HEALTHCHECK_KEYS:
            checks.that(False, f"{service.where}: `healthcheck.{key}` is none of the keys this check knows")
        check_image(checks, service)
        check_commands(checks, service, meunier)
        check_dependencies(checks, service, services)
        check_volumes(checks, service, compose["volumes"])
        check_ports(checks, service)
        check_addresses(checks, service, services)
    mounted = {mount.split(":")[0] for service in services.values() for mount in service.body.get("volumes", [])}
    for volume in compose["volumes"]:
        checks.that(volume in mounted, f"docker-compose.yml: no service mounts volume `{volume}`")
    check_one_topic(checks, services)
    check_demo(checks, services)


def check_image(checks, service):
    if service.ours:
        checks.that(
            (ROOT / service.body["build"] / "Dockerfile").is_file(), f"{service.where}: `{service.body['build']}` has no Dockerfile"
        )
        return
    version = re.search(r"KAFKA_VERSION=\$\{KAFKA_VERSION:-(.*)\}", KAFKA_SH.read_text()).group(1)
    image = service.body["image"]
    checks.that(image == f"apache/kafka:{version}", f"{service.where}: image {image}, while scripts/kafka.sh runs {version}")
    if service.environment:
        check_broker(checks, service)


def check_commands(checks, service, meunier):
    if service.ours:
        path = check_meunier_command(checks, service.where, meunier, service.argv())
        for variable in service.environment:
            checks.that(variable in meunier.variables(*path), f"{service.where}: `{spoken(path)}` reads no `{variable}`")
    elif service.argv():
        check_kafka_command(checks, service.where, service.argv())
    if service.health:
        form, *argv = service.health
        where = f"{service.where}, health check"
        checks.that(form == "CMD", f"{where}: is not in the form [CMD, ...]")
        check_meunier_command(checks, where, meunier, argv) if service.ours else check_kafka_command(checks, where, argv)


def check_broker(checks, service):
    """Holds the names against the broker's keys, then has the broker read the values, as it does before its first start."""
    listed = kafka_java("kafka.server.KafkaConfig")
    keys = set(re.findall(r'<h4><a id="([^"]+)"', listed.stdout))
    if not checks.that(
        len(keys) > 100, f"{service.where}: kafka.server.KafkaConfig lists {len(keys)} keys: {listed.stderr[-400:]}"
    ):
        return
    variables = set(service.environment) - KAFKA_IMAGE_VARIABLES
    properties = {kafka_property(variable): service.environment[variable] for variable in variables}
    for key in properties:
        checks.that(key in keys, f"{service.where}: the broker knows no property `{key}`")
    data = properties["log.dirs"]
    checks.that(any(mount.endswith(f":{data}") for mount in service.body["volumes"]), f"{service.where}: no volume holds `{data}`")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "server.properties")
        file.write_text("".join(f"{key}={value}\n" for key, value in (properties | {"log.dirs": f"{folder}/data"}).items()))
        cluster = service.environment["CLUSTER_ID"]
        formatted = kafka_java("kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", str(file))
    checks.that(formatted.returncode == 0, f"{service.where}: the broker refuses it: {formatted.stdout}{formatted.stderr}")


def check_dependencies(checks, service, services):
    for name, how in service.body.get("depends_on", {}).items():
        if not checks.that(name in services, f"{service.where}: depends on `{name}`, which is no service"):
            continue
        needed, condition = services[name], how["condition"]
        if condition == "service_healthy":
            checks.that(needed.health, f"{service.where}: waits for `{name}` to be healthy, which has no health check")
        elif condition == "service_completed_successfully":
            checks.that("restart" not in needed.body, f"{service.where}: waits for `{name}` to end, which is always restarted")
        else:
            checks.that(condition == "service_started", f"{service.where}: `{condition}` is no condition")


def check_volumes(checks, service, volumes):
    binds = {}
    for mount in service.body.get("volumes", []):
        source, target, *_ = mount.split(":")
        if source.startswith("."):
            checks.that((ROOT / source).is_dir(), f"{service.where}: mounts `{source}`, which is not in the tree")
            binds[target] = ROOT / source
        else:
            checks.that(source in volumes, f"{service.where}: volume `{source}` is not declared")
    data = value_of(service.command, "--data-dir")
    kept = any(mount.endswith(f":{data}") for mount in service.body.get("volumes", []))
    checks.that(data is None or kept, f"{service.where}: no volume holds `{data}`")
    for flag in ("--schema", "--table"):
        file = value_of(service.command, flag)
        if file is None:
            continue
        found = any(
            file.startswith(f"{target}/") and (folder / Path(file).relative_to(target)).is_file()
            for target, folder in binds.items()
        )
        checks.that(found, f"{service.where}: `{flag} {file}` is in no mounted folder of the tree")


def check_ports(checks, service):
    published = {}
    for port in service.body.get("ports", []):
        host, outer, inner = port.rsplit(":", 2)
        checks.that(host == "127.0.0.1", f"{service.where}: publishes {port} beyond this machine")
        checks.that(inner in service.ports(), f"{service.where}: publishes {inner}, and listens on {sorted(service.ports())}")
        published[outer] = inner
    listen = value_of(service.command, "--listen") if service.ours else None
    checks.that(
        listen is None or listen.startswith("0.0.0.0:"), f"{service.where}: `--listen {listen}` is out of reach of other containers"
    )
    # What Kafka advertises must lead back to the listener that advertises it.
    listeners = dict(address.split("://:") for address in service.environment.get("KAFKA_LISTENERS", "").split(",") if address)
    for address in filter(None, service.environment.get("KAFKA_ADVERTISED_LISTENERS", "").split(",")):
        listener, host, port = re.fullmatch(r"(\w+)://(\w+):(\d+)", address).groups()
        inner = published.get(port) if host == "localhost" else port if host == service.name else None
        checks.that(inner and listeners.get(listener) == inner, f"{service.where}: `{address}` leads to no listener `{listener}`")


def check_addresses(checks, service, services):
    for argv in (service.argv(), service.health):
        for flag in ("--brokers", "--bootstrap-server", "--server"):
            address = value_of(argv, flag)
            if address is None:
                continue
            host, _, port = address.removeprefix("http://").rpartition(":")
            target = service if host == "127.0.0.1" else services.get(host)
            if checks.that(target, f"{service.where}: `{flag} {address}` names no service"):
                checks.that(
                    port in target.ports(),
                    f"{service.where}: `{flag} {address}`: `{target.name}` listens on {sorted(target.ports())}",
                )


def check_one_topic(checks, services):
    named = {name: value_of(service.argv(), "--topic") for name, service in services.items() if "--topic" in service.argv()}
    for name, service in services.items():
        file = ROOT / "schemas" / Path(value_of(service.command, "--table") or "").name
        if file.is_file():
            table = json.loads(file.read_text())
            [stream] = table["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"]
            named[name] = stream["stream.kafka.topic.name"]
    checks.that(
        len(named) >= 3 and len(set(named.values())) == 1, f"docker-compose.yml: the services name different topics: {named}"
    )


def check_demo(checks, services):
    """scripts/demo.sh stands in for the compose file, so it must run every command the file runs, flag by flag."""
    demo = (ROOT / "scripts/demo.sh").read_text().replace("\\\n", " ")
    for service in services.values():
        if not service.ours:
            continue
        words = [word for word in service.command if not word.startswith("-")]
        command = "table create" if words[0] == "table" else words[0]
        line = next((line for line in demo.splitlines() if f'"$meunier" {command} ' in line), "")
        if checks.that(line, f"scripts/demo.sh: does not run `meunier {command}`"):
            for flag in (word for word in service.command if word.startswith("--")):
                checks.that(f" {flag} " in f"{line} ", f"scripts/demo.sh: runs `meunier {command}` without `{flag}`")


def main():
    parser = argparse.ArgumentParser(description="Proves that what docker-compose.yml and Dockerfile name exists.")
    parser.add_argument("--meunier", required=True, help="a built meunier")
    checks = Checks()
    meunier = Meunier(str(Path(parser.parse_args().meunier).resolve()))
    dockerfile = Dockerfile(ROOT / "Dockerfile")
    check_dockerfile(checks, dockerfile, meunier)
    check_compose(checks, load_compose(checks), dockerfile, meunier)
    for fault in checks.faults:
        print(fault)
    print(f"docker-compose.yml and Dockerfile: {checks.held} checks held, {len(checks.faults)} did not")
    sys.exit(1 if checks.faults else 0)


if __name__ == "__main__":
    main()

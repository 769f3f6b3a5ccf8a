use expect_test::{Expect, expect};

use super::*;

/// Reads properties given as `name=value` lines and writes those passed on and what was said.
fn check(lines: &str, expected: Expect) {
    let pairs: Vec<(&str, &str)> = lines
        .lines()
        .filter_map(|line| line.trim().split_once('='))
        .filter(|(name, _)| !name.is_empty())
        .collect();
    let property = |(name, value): &(&'static str, &str)| Property {
        path: format!("/{name}"),
        name,
        value: (*value).to_string(),
    };
    let pairs: Vec<(&'static str, &str)> =
        pairs.into_iter().map(|(name, value)| (&*name.to_string().leak(), value)).collect();
    let mut findings = Findings::default();
    let passed = read(pairs.iter().map(property).collect(), &[], &mut findings);
    let mut report: String = passed.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    for problem in &findings.problems {
        report += &format!("problem {problem}\n");
    }
    for warning in &findings.warnings {
        report += &format!("warning {warning}\n");
    }
    expected.assert_eq(&report);
}

#[test]
fn passes_librdkafkas_properties_and_translates_javas() {
    check(
        "fetch.max.bytes=1000\nfetch.max.wait.ms=50\ngroup.id=g\nmax.poll.records=5\nfetch.max.byte=1\n\
         value.deserializer=x\nwhat.is.this=1\nenable.auto.commit=false\nbootstrap.servers=a:1",
        expect![[r#"
            fetch.max.bytes=1000
            fetch.wait.max.ms=50
            group.id=g
            warning /max.poll.records: `max.poll.records` is of Java clients only, ignored: bound a fetch by `fetch.max.bytes`
            warning /fetch.max.byte: `fetch.max.byte` is no property of this server's Kafka client, ignored; did you mean `fetch.max.bytes`?
            warning /value.deserializer: `value.deserializer` is of Java clients only, ignored: `stream.kafka.decoder.class.name` names the decoder
            warning /what.is.this: `what.is.this` is no property of this server's Kafka client, ignored
            warning /bootstrap.servers: `bootstrap.servers` is ignored: `stream.kafka.broker.list` names the brokers
        "#]],
    );
}

#[test]
fn refuses_what_loads_code_or_runs_commands_or_upsets_the_process() {
    check(
        "plugin.library.paths=/tmp/x.so\nsasl.kerberos.kinit.cmd=sh\nssl.providers=x\nssl.engine.location=x\n\
         test.mock.num.brokers=3\nerror_cb=1\nopaque=1\ninterceptors=x\nenable.auto.commit=true",
        expect![[r#"
            problem /plugin.library.paths: `plugin.library.paths` is not allowed, as it loads code into the server: remove it
            problem /sasl.kerberos.kinit.cmd: `sasl.kerberos.kinit.cmd` is not allowed, as it runs a command on the server: remove it
            problem /ssl.providers: `ssl.providers` is not allowed, as it loads code into the server: remove it
            problem /ssl.engine.location: `ssl.engine.location` is not allowed, as it loads code into the server: remove it
            problem /test.mock.num.brokers: `test.mock.num.brokers` is not allowed, as it puts a mock in place of the brokers: remove it
            problem /error_cb: `error_cb` is not allowed, as it is an address in the process: remove it
            problem /opaque: `opaque` is not allowed, as it is an address in the process: remove it
            problem /interceptors: `interceptors` is not allowed, as it is an address in the process: remove it
            problem /enable.auto.commit: `enable.auto.commit` cannot be `true`, as offsets are committed together with segments and never by the client: remove it
        "#]],
    );
}

#[test]
fn reads_user_and_password_from_a_jaas_text() {
    check(
        "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=org.apache.kafka.common.security.\
         scram.ScramLoginModule required username=\"ann\" password=\"a \\\"b\\\"; c=d\";",
        expect![[r#"
            sasl.mechanism=SCRAM-SHA-512
            sasl.password=a "b"; c=d
            sasl.username=ann
            security.protocol=sasl_ssl
        "#]],
    );
    check(
        "security.protocol=SASL_PLAINTEXT\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \
         required username='ann' password=secret;",
        expect![[r#"
            sasl.mechanism=PLAIN
            sasl.password=secret
            sasl.username=ann
            security.protocol=sasl_plaintext
        "#]],
    );
}

#[test]
fn says_what_a_login_lacks_without_repeating_secrets() {
    check(
        "security.protocol=SASL_SSL",
        expect![[r#"
        security.protocol=sasl_ssl
        problem /security.protocol: needs `sasl.mechanism` beside it: write one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER
    "#]],
    );
    check(
        "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.username=u",
        expect![[r#"
        sasl.mechanism=PLAIN
        sasl.username=u
        security.protocol=sasl_ssl
        problem /security.protocol: needs `sasl.username` and `sasl.password` beside it
    "#]],
    );
    check(
        "security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI",
        expect![[r#"
        security.protocol=sasl_ssl
        problem /sasl.mechanism: the login mechanism `GSSAPI` is not supported: write one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER
    "#]],
    );
    check(
        "security.protocol=SASL_TLS",
        expect![[r#"
        problem /security.protocol: `SASL_TLS` is no protocol: write one of plaintext, ssl, sasl_plaintext, sasl_ssl; did you mean `sasl_ssl`?
    "#]],
    );
    check(
        "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=hunter2",
        expect![[r#"
        sasl.mechanism=PLAIN
        security.protocol=sasl_ssl
        problem /sasl.jaas.config: the login text cannot be read: write `sasl.mechanism`, `sasl.username` and `sasl.password`
    "#]],
    );
    check(
        "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=com.sun.Krb5LoginModule required \
         password=\"hunter2\";",
        expect![[r#"
            sasl.mechanism=PLAIN
            security.protocol=sasl_ssl
            problem /sasl.jaas.config: the login module `Krb5LoginModule` is not supported: write `sasl.mechanism`, `sasl.username` and `sasl.password`
        "#]],
    );
}

#[test]
fn translates_trust_and_key_stores() {
    check(
        "security.protocol=SSL\nssl.truststore.location=/etc/ca.pem\nssl.keystore.location=/etc/me.p12\n\
         ssl.keystore.password=p\nssl.endpoint.identification.algorithm=\nssl.enabled.protocols=TLSv1.2",
        expect![[r#"
            security.protocol=ssl
            ssl.ca.location=/etc/ca.pem
            ssl.endpoint.identification.algorithm=none
            ssl.keystore.location=/etc/me.p12
            ssl.keystore.password=p
            warning /ssl.enabled.protocols: `ssl.enabled.protocols` is of Java clients only, ignored: TLS 1.2 and 1.3 are used
        "#]],
    );
    check(
        "security.protocol=ssl\nssl.truststore.location=/etc/ca.jks\nssl.keystore.location=/etc/me.jks\n\
         ssl.truststore.certificates=PEM\nssl.keystore.key=KEY\nssl.keystore.certificate.chain=CHAIN",
        expect![[r#"
            security.protocol=ssl
            ssl.ca.pem=PEM
            ssl.certificate.pem=CHAIN
            ssl.key.pem=KEY
            warning /ssl.truststore.location: a Java trust store cannot be read, ignored: export its certificates as PEM (keytool -exportcert -rfc) and write their file as `ssl.ca.location`
            warning /ssl.keystore.location: a Java key store cannot be read, ignored: convert it to PKCS#12 (keytool -importkeystore -deststoretype PKCS12) and name that file here
        "#]],
    );
}

#[test]
fn every_passed_name_is_in_one_list_only() {
    for name in PASSED {
        assert!(forbidden(name).is_none() && !SET_BY_SERVER.contains(name), "{name}");
        assert!(JAVA_ONLY.iter().all(|(java, _)| java != name), "{name}");
        assert!(RENAMED.iter().all(|(java, _)| java != name), "{name}");
    }
    assert!(RENAMED.iter().all(|(_, name)| PASSED.contains(name)));
}

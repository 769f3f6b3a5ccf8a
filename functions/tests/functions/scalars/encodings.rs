//! Hashes, conversions, URLs and IP addresses. Facts are of the published vectors of the hashes, Pinot's tests and RFCs.

use super::{ask, check_all, refused};

#[test]
fn hashes_bytes() {
    check_all(&[
        ("md5(toUtf8('abc'))", "900150983cd24fb0d6963f7d28e17f72"),
        ("md2(toUtf8('abc'))", "da853b0d3f88d99b30283a69e6ded6bb"),
        ("sha(toUtf8('abc'))", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("sha224(toUtf8(''))", "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7"),
        ("sha256(toUtf8('abc'))", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        // FNV's vectors are 0xbf9cf968, 0x31f0b262 and 0x85944171f73967e8; the check values of the checksums are those of '123456789'.
        ("crc32(toUtf8('123456789'))", "-873187034"),
        ("crc32c(toUtf8('123456789'))", "-486108541"),
        ("adler32(toUtf8('Wikipedia'))", "300286872"),
        ("fnv1aHash32(toUtf8('foobar'))", "-1080231576"),
        ("fnv1Hash32UTF8('foobar')", "837857890"),
        ("fnv1aHash64UTF8('foobar')", "-8821353812377114648"),
        // Kafka's own vectors.
        ("murmurHash2(toUtf8('21'))", "-973932308"),
        ("murmurHash2UTF8('foobar')", "-790332482"),
        ("murmurHash2UTF8('a-little-bit-long-string')", "-985981536"),
        // MurmurHash3 of 32 bits is 0x514e28b7 and 0xc0363e43 for these.
        ("murmurHash3Bit32(toUtf8(''), 1)", "1364076727"),
        ("murmurHash3Bit32(toUtf8('Hello, world!'), 0)", "-1070186941"),
        ("murmurHash3Bit64(toUtf8(''), 0)", "0"),
        (
            "bytesToHex(murmurHash3Bit128(toUtf8('The quick brown fox jumps over the lazy dog'), 0))",
            "6c1b07bc7bbc4be347939ac4a93c437a",
        ),
        // Of Pinot's tests.
        ("murmurHash2Bit64(toUtf8('testString'))", "3907736674355139845"),
        ("murmurHash2Bit64(toUtf8('testString'), 12345)", "-2138976126980760436"),
        ("murmurHash3Bit32(toUtf8('testString'), 0)", "-1435605585"),
        ("murmurHash3Bit64(toUtf8('testString'), 0)", "-3652179990542706350"),
        ("murmurHash3X64Bit32(toUtf8('testString'), 0)", "-1096986291"),
        ("murmurHash3X64Bit64(toUtf8('testString'), 0)", "-1096986291"),
        ("bytesToHex(murmurHash3X64Bit128(toUtf8('testString'), 0))", "be9d514df91d7c4c2a26ded6a4ad530d"),
        ("adler32(toUtf8('testString'))", "392102968"),
        ("crc32(toUtf8('testString'))", "418708744"),
        ("crc32c(toUtf8('testString'))", "-1608760557"),
        (
            "sha512(toUtf8('testString'))",
            "c48af5a7f6d4a851fc8a434eed638ab1a6ef68e19dbcae894ac67c9fbc5bcb0182b8e7123b3df3c9e4dcb7690c23103f03dc17f54352071ceb2a4eb204b26b91",
        ),
        ("cityHash32(toUtf8('abc'))", "795041479"),
        ("cityHash32(toUtf8('abcdefg'))", "568243927"),
        ("cityHash32(toUtf8('abcefghijklmn'))", "-1658103047"),
        ("cityHash32(toUtf8('abcdefghijklmnopqrstuvwxyz'))", "-1442658879"),
        ("cityHash64(toUtf8('abc'))", "2640714258260161385"),
        ("cityHash64(toUtf8('abcdefg'))", "4341691227789030229"),
        ("cityHash64(toUtf8('abcefghijklmn'))", "2219442073233419101"),
        ("cityHash64(toUtf8('abcdefghijklmnopqrs'))", "-7582989256905268791"),
        ("cityHash64(toUtf8('abcdefghijklmnopqrstuvwxyzabcefghijklmn'))", "2649092397580160289"),
        (
            "cityHash64(toUtf8('abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz'))",
            "4095282343956748170",
        ),
        ("cityHash64(toUtf8('abcdefghijklmnopqrs'), 10)", "6644130553114817940"),
        (
            "cityHash64(toUtf8('abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz'), 10438437, 399389834)",
            "8613575199633737553",
        ),
        ("bytesToHex(cityHash128(toUtf8('abc')))", "3980b2afd2126c04a085f09013029e45"),
        (
            "bytesToHex(cityHash128(toUtf8('abcdefghijklmnopqrstuvwxyzabcefghijklmn')))",
            "00d4285db96050d3ae6f938c192062f9",
        ),
        (
            "bytesToHex(cityHash128(toUtf8('abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz')))",
            "720817358453e4231b8bc57994ec3b73",
        ),
        ("md5(NULL)", "null"),
    ]);
    refused("md5('xyz')", "'xyz' is not BYTES");
}

#[test]
fn converts_encodings() {
    check_all(&[
        ("hexToBytes('cafe')", "cafe"),
        ("bytesToHex(toUtf8('ab'))", "6162"),
        ("toBase64(toUtf8('hello!'))", "aGVsbG8h"),
        ("fromUtf8(fromBase64('aGVsbG8h'))", "hello!"),
        ("fromUtf8(fromBase64('YQ'))", "a"),
        ("fromUtf8(base64Encode(toUtf8('hello!')))", "aGVsbG8h"),
        ("hexDecimalToLong('0xff')", "255"),
        ("longToHexDecimal(255)", "ff"),
        ("longToHexDecimal(-1)", "ffffffffffffffff"),
        ("bytesToHex(bigDecimalToBytes('-1.28'))", "000280"),
        ("bytesToHex(bigDecimalToBytes('128'))", "00000080"),
        ("bytesToBigDecimal(bigDecimalToBytes('-12345.678'))", "-12345.678"),
        ("bytesToBigDecimal(hexToBytes('000280'))", "-1.28"),
        (
            "fromUUIDBytes(toUUIDBytes('123E4567-e89b-12d3-a456-426614174000'))",
            "123e4567-e89b-12d3-a456-426614174000",
        ),
        ("toUUIDBytes('nonsense')", "null"),
        ("isUUID('nonsense')", "false"),
        ("uuidVersion('123e4567-e89b-12d3-a456-426614174000')", "1"),
        ("uuidTimestamp('017f22e2-79b0-7cc3-98c4-dc0c0c07398f')", "1645557742000"),
        ("uuidTimestamp('C232AB00-9414-11EC-B3C8-9F6BDECED846')", "1645557742000"),
    ]);
    assert_eq!(ask("SELECT uuidVersion(uuidV4()) + uuidVersion(uuidV7())"), Ok(vec!["11".to_owned()]));
    refused("uuidTimestamp('919108f7-52d1-4320-9bac-f847db4148a8')", "version 4");
}

#[test]
fn takes_urls_apart() {
    check_all(&[
        ("urlProtocol('http://example.com')", "http"),
        ("urlDomain('https://user@www.example.com:8443/a?b#c')", "www.example.com"),
        ("urlDomain('invalid_url')", "null"),
        ("urlDomainWithoutWWW('https://www.sub.example.com')", "sub.example.com"),
        ("urlTopLevelDomain('http://example.org')", "org"),
        ("urlFirstSignificantSubdomain('https://www.sub.example.com')", "example"),
        ("urlFirstSignificantSubdomain('https://')", "null"),
        ("cutToFirstSignificantSubdomain('https://www.example.co.uk')", "example.co.uk"),
        ("cutToFirstSignificantSubdomainWithWWW('https://www.example.co.uk')", "www.example.co.uk"),
        ("urlPort('http://example.com:8080')", "8080"),
        ("urlPort('http://')", "-1"),
        ("urlPath('https://example.com/a%20b')", "/a b"),
        ("urlPath('https://example.com')", ""),
        ("urlPath('')", "null"),
        ("urlPathWithQuery('https://example.com/a%20b?c')", "/a%20b"),
        ("urlQueryString('https://example.com/path?a=1&b=2')", "a=1&b=2"),
        ("urlFragment('https://example.com/path#fragment')", "fragment"),
        ("urlQueryStringAndFragment('https://example.com/path?a=1#s')", "a=1#s"),
        ("urlNetloc('https://u@example.com:1/path')", "u@example.com:1"),
        (
            "urlHierarchy('https://example.com/a/b')",
            "[https://example.com, https://example.com/a, https://example.com/a/b]",
        ),
        ("urlPathHierarchy('https://example.com/a/b')", "[/a, /a/b]"),
        ("extractURLParameter('https://example.com/path?a=1&b=2', 'b')", "2"),
        ("extractURLParameter('https://example.com/path?a=1', 'c')", ""),
        ("extractURLParameterNames('https://example.com/path?a=1&b')", "[a, b]"),
        ("urlEncode('http://localhost:8080/hello?p=a b')", "http%3A%2F%2Flocalhost%3A8080%2Fhello%3Fp%3Da+b"),
        ("urlDecode('a+b%2Fc')", "a b/c"),
        ("urlDecode('%zz')", "null"),
        ("cutWWW('http://www.example.com/a')", "http://example.com/a"),
        ("cutQueryString('https://example.com/path?a=1#f')", "https://example.com/path#f"),
        ("cutFragment('https://example.com/path?a=1#f')", "https://example.com/path?a=1"),
        ("cutQueryStringAndFragment('http://')", "http://"),
        ("cutURLParameter('https://example.com/path?a=1&b=2', 'a')", "https://example.com/path?b=2"),
        ("cutURLParameter('https://example.com/path', NULL)", "https://example.com/path"),
        (
            "cutURLParameters('https://example.com/path?a=1&b=2', arrayValueConstructor('b'))",
            "https://example.com/path?a=1",
        ),
    ]);
}

#[test]
fn computes_networks() {
    check_all(&[
        ("isSubnetOf('192.168.1.0/24', '192.168.1.100')", "true"),
        ("isSubnetOf('2001:db8::/32', '2001:db9::1')", "false"),
        ("isSubnetOf('0.0.0.0/0', '::1')", "false"),
        ("ipPrefix('192.168.1.77', 24)", "192.168.1.0/24"),
        ("ipPrefix('::1', 128)", "::1/128"),
        ("ipPrefix('255.255.255.255', 0)", "0.0.0.0/0"),
        ("ipSubnetMin('fe80::/10')", "fe80::"),
        ("ipSubnetMax('172.16.0.0/12')", "172.31.255.255"),
        ("isIPv4String('999.999.999.999')", "false"),
        ("isIPv6String('::1')", "true"),
        ("ipv4ToLong('192.168.1.1')", "3232235777"),
        ("longToIpv4(256)", "0.0.1.0"),
        ("ipv4ToIpv6('1.2.3.4')", "::ffff:102:304"),
        ("bytesToIpv6(ipv6ToBytes('2001:db8::1'))", "2001:db8::1"),
        ("ipv4CIDRToRange('10.0.0.0/31')", "[10.0.0.0, 10.0.0.1]"),
        ("ipMaskLen('10.0.0.0/8')", "8"),
        ("ipNetmask('192.168.1.0/25')", "255.255.255.128"),
        ("ipHostmask('::/0')", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("isPrivateIp('169.254.0.1')", "true"),
        ("isPrivateIp('8.8.8.8')", "false"),
        ("ipFamily('::1')", "6"),
    ]);
    refused("isSubnetOf('10.0.0.0', '10.0.0.1')", "is no network");
    refused("ipPrefix('10.0.0.1', 33)", "no length of a prefix");
}

//! Dates and times. Facts are of Pinot's documentation, the JDK and Joda, and of Python's `zoneinfo`.

use super::{check_all, refused};

#[test]
fn truncates_times() {
    check_all(&[
        // 2021-02-02 20:12:12.123 UTC, a Tuesday.
        ("dateTrunc('millisecond', 1612296732123)", "1612296732123"),
        ("dateTrunc('second', 1612296732123)", "1612296732000"),
        ("dateTrunc('minute', 1612296732123)", "1612296720000"),
        ("dateTrunc('HOUR', 1612296732123)", "1612296000000"),
        ("dateTrunc('day', 1612296732123)", "1612224000000"),
        ("dateTrunc('week', 1612296732123)", "1612137600000"),
        ("dateTrunc('month', 1612296732123)", "1612137600000"),
        ("dateTrunc('quarter', 1612296732123)", "1609459200000"),
        ("dateTrunc('year', 1612296732123)", "1609459200000"),
        ("dateTrunc('week', 26871612, 'MINUTES')", "26868960"),
        ("dateTrunc('day', 1612296732, 'seconds', 'UTC', 'DAYS')", "18660"),
        // Midnight in New York is at 5 in UTC, on the day clocks go forward as well.
        ("dateTrunc('day', 1615737600000, 'MILLISECONDS', 'America/New_York')", "1615698000000"),
        ("dateTrunc('day', 1615824000000, 'MILLISECONDS', 'America/New_York')", "1615780800000"),
        // The second 1:30 of the day clocks go back is in the second hour from 1.
        ("dateTrunc('hour', 1636266600000, 'MILLISECONDS', 'America/New_York')", "1636264800000"),
        ("dateTrunc('hour', 1636270200000, 'MILLISECONDS', 'America/New_York')", "1636268400000"),
        ("dateTrunc('day', -1)", "-86400000"),
        ("dateTrunc('year', -1)", "-31536000000"),
        ("dateTrunc('day', NULL)", "null"),
        ("dateTrunc('day', '2021-02-02 20:12:12')", "1612224000000"),
        ("dateTrunc('day', toTimestamp(1612296732123))", "1612224000000"),
        ("dateBin('1d', 1612296732123, 0)", "1612224000000"),
        ("dateBin('15m', 1612296732123, 60000)", "1612296060000"),
        ("dateBin('1h', toTimestamp(1612296732123), toTimestamp(0))", "2021-02-02T20:00:00"),
    ]);
    refused("dateTrunc('weeks', 1)", "did you mean `week`");
    refused(
        "dateTrunc('day', 1, 'SECOND')",
        "NANOSECONDS, MICROSECONDS, MILLISECONDS, SECONDS, MINUTES, HOURS, DAYS",
    );
    refused("dateTrunc('day', 1, 'SECONDS', 'America/New_Yrok')", "did you mean `America/New_York`");
    refused("dateTrunc('day')", "cannot take 1 arguments");
    refused("dateTrunc('day', 'yesterday')", "'yesterday' is not a TIMESTAMP");
}

#[test]
fn converts_epochs() {
    check_all(&[
        ("toEpochSeconds(1612296732123)", "1612296732"),
        ("toEpochMinutes(1612296732123)", "26871612"),
        ("toEpochHours(1612296732123)", "447860"),
        ("toEpochDays(1612296732123)", "18660"),
        ("toEpochSeconds(-1)", "0"),
        ("toEpochHoursRounded(1578685189000, 2)", "438522"),
        ("toEpochDaysBucket(1578685189000, 7)", "2610"),
        ("fromEpochHoursBucket(168000, 2)", "1209600000000"),
        ("fromEpochDays(14000)", "1209600000000"),
        ("fromEpochSeconds(toEpochSeconds(1612296732123))", "1612296732000"),
        ("round(1578685189000, 900000)", "1578684600000"),
        ("round(-7, 5)", "-5"),
        ("timeConvert(1612296732, 'SECONDS', 'DAYS')", "18660"),
        ("timeConvert(18660, 'DAYS', 'MILLISECONDS')", "1612224000000"),
        ("timeConvert(9223372036854775807, 'DAYS', 'SECONDS')", "9223372036854775807"),
        ("timeConvert(1612296732123, 'MILLISECONDS', 'WEEKS')", "2665"),
        ("timeConvert(1612296732123, 'MILLISECONDS', 'MONTHS')", "613"),
        ("timeConvert(1612296732123, 'MILLISECONDS', 'YEARS')", "51"),
        ("timeConvert(-1, 'MILLISECONDS', 'YEARS')", "0"),
        ("toEpochDays(NULL)", "null"),
    ]);
    refused("toEpochDaysBucket(1578685189000, 0)", "not zero");
}

#[test]
fn takes_times_apart() {
    check_all(&[
        // 2020-05-23 22:23:13.123 UTC, a Saturday.
        ("year(1590272593123)", "2020"),
        ("quarter(1590272593123)", "2"),
        ("monthOfYear(1590272593123)", "5"),
        ("week(1590272593123)", "21"),
        ("yow(1590272593123)", "2020"),
        ("doy(1590272593123)", "144"),
        ("day(1590272593123)", "23"),
        ("dow(1590272593123)", "6"),
        ("hour(1590272593123)", "22"),
        ("minute(1590272593123)", "23"),
        ("second(1590272593123)", "13"),
        ("millisecond(1590272593123)", "123"),
        ("hour(1590272593123, 'America/Los_Angeles')", "15"),
        ("hour(1590272593123, 'Asia/Kolkata')", "3"),
        ("minute(1590272593123, '+05:30')", "53"),
        ("day(1590272593123, 'Asia/Kolkata')", "24"),
        // 2021-01-03 is in the last week of 2020.
        ("yearOfWeek(1609632000000)", "2020"),
        ("weekOfYear(1609632000000)", "53"),
        ("\"extract\"('DOW', 1590272593123)", "6"),
        ("timezoneHour('America/Toronto')", "-5"),
        ("timezoneMinute('Asia/Kolkata')", "30"),
        ("timezoneHour('Pacific/Marquesas')", "-9"),
        ("timezoneMinute('Pacific/Marquesas')", "-30"),
        ("timezoneHour('America/Toronto', 1590272593123)", "-4"),
        ("year(-1)", "1969"),
        ("year(NULL)", "null"),
    ]);
}

#[test]
fn adds_and_counts_units() {
    check_all(&[
        ("timestampAdd('DAY', 10, 0)", "864000000"),
        // January 31 and a month is the last day of February.
        ("timestampAdd('MONTH', 1, 1580428800000)", "1582934400000"),
        ("dateAdd('YEAR', 1, 1582934400000)", "1614470400000"),
        ("dateAdd('QUARTER', -1, 1612224000000)", "1604275200000"),
        ("timestampDiff('DAY', 0, 863999999)", "9"),
        ("dateDiff('DAY', 863999999, 0)", "-9"),
        ("dateDiff('MONTH', 1580428800000, 1582934400000)", "1"),
        ("dateDiff('YEAR', 1582934400000, 1614470400000)", "1"),
        ("dateDiff('YEAR', 1614470400000, 1582934400000)", "-1"),
        ("dateDiff('QUARTER', 0, 1612296732123)", "204"),
        ("dateDiff('WEEK', 0, 1612296732123)", "2665"),
    ]);
    refused("timestampAdd('YEAR', 9223372036854775807, 0)", "too far away");
}

#[test]
fn writes_and_reads_patterns() {
    check_all(&[
        ("toDateTime(98697600000, 'yyyyMMdd')", "19730216"),
        ("toDateTime(1590272593123, 'yyyy-MM-dd''T''HH:mm:ss.SSSZ')", "2020-05-23T22:23:13.123+0000"),
        (
            "toDateTime(1590272593123, 'EEE, d MMM yyyy h:mm a ZZ', 'America/Los_Angeles')",
            "Sat, 23 May 2020 3:23 PM -07:00",
        ),
        (
            "toDateTime(1590272593123, 'EEEE MMMM yy DDD k K z', 'America/Los_Angeles')",
            "Saturday May 20 144 15 3 PDT",
        ),
        ("toDateTime(1609632000000, 'xxxx-''W''ww-e')", "2020-W53-7"),
        ("toDateTime(1590272593123, 'G CC Y SSSSS S')", "AD 20 2020 12300 1"),
        ("toDateTime(NULL, 'yyyy')", "null"),
        ("fromDateTime('19730216', 'yyyyMMdd')", "98668800000"),
        ("fromDateTime('2020-05-23T22:23:13.123+0000', 'yyyy-MM-dd''T''HH:mm:ss.SSSZ')", "1590272593123"),
        ("fromDateTime('2020-05-23T22:23:13.123Z', 'yyyy-MM-dd''T''HH:mm:ss.SSSZ')", "1590272593123"),
        (
            "fromDateTime('Sat, 23 May 2020 3:23 PM', 'EEE, d MMM yyyy h:mm a', 'America/Los_Angeles')",
            "1590272580000",
        ),
        ("fromDateTime('2020-05-23', 'yyyy-MM-dd', '+05:30')", "1590172200000"),
        ("fromDateTime('2020-W53-7', 'xxxx-''W''ww-e')", "1609632000000"),
        ("fromDateTime('5/23/20', 'M/d/yy')", "1590192000000"),
        ("fromDateTime('144 2020', 'D yyyy')", "1590192000000"),
        // Half past two is not on the clocks that day: the time is as far after three.
        ("fromDateTime('2021-03-14 02:30', 'yyyy-MM-dd HH:mm', 'America/New_York')", "1615707000000"),
        // Half past one is there twice: the first.
        ("fromDateTime('2021-11-07 01:30', 'yyyy-MM-dd HH:mm', 'America/New_York')", "1636263000000"),
        ("fromDateTime('nonsense', 'yyyy-MM-dd', 'UTC', -1)", "-1"),
        ("fromDateTime(NULL, 'yyyy')", "null"),
        ("toIso8601(1696114800000)", "2023-09-30T23:00:00Z"),
        ("toIso8601(1696114800120)", "2023-09-30T23:00:00.120Z"),
        ("fromIso8601('2023-10-01T00:00:00+01:00')", "1696114800000"),
        ("toTimestamp(1696114800120)", "2023-09-30T23:00:00.120"),
        ("fromTimestamp(toTimestamp(5))", "5"),
    ]);
    refused("fromDateTime('2020-13-01', 'yyyy-MM-dd')", "no month 13");
    refused("fromDateTime('2020-02-30', 'yyyy-MM-dd')", "no day of the month 30");
    refused("fromDateTime('2020-02-03x', 'yyyy-MM-dd')", "malformed at 'x'");
    refused("toDateTime(0, 'yyyy-bb')", "`b` in the pattern");
}

#[test]
fn converts_formats() {
    check_all(&[
        (
            "dateTimeConvert(1505898960000, '1:MILLISECONDS:EPOCH', '1:MILLISECONDS:EPOCH', '15:MINUTES')",
            "1505898900000",
        ),
        ("dateTimeConvert(5019675, '5:MINUTES:EPOCH', '1:MILLISECONDS:EPOCH', '1:HOURS')", "1505901600000"),
        ("dateTimeConvert(1505898960000, 'EPOCH|MILLISECONDS|1', 'EPOCH|HOURS', 'HOURS|1')", "418305"),
        (
            "dateTimeConvert(5019675, '5:MINUTES:EPOCH', '1:MILLISECONDS:EPOCH', '2:DAYS', 'CET')",
            "1505772000000",
        ),
        (
            "dateTimeConvert('20180418T01:00:00', '1:DAYS:SIMPLE_DATE_FORMAT:yyyyMMdd''T''HH:mm:ss', '1:DAYS:EPOCH', '1:DAYS')",
            "17639",
        ),
        (
            "dateTimeConvert(1523561708000, '1:MILLISECONDS:EPOCH', \
             '1:MILLISECONDS:SIMPLE_DATE_FORMAT:yyyy-MM-dd HH:mm:ss.SSS tz(America/Denver)', '3:MINUTES')",
            "2018-04-12 13:33:00.000",
        ),
        (
            "dateTimeConvert(1524013200000, '1:MILLISECONDS:EPOCH', \
             '1:MILLISECONDS:SIMPLE_DATE_FORMAT:yyyy-MM-dd HH:mm:ss.SSS tz(America/Los_Angeles)', '1:DAYS')",
            "2018-04-17 00:00:00.000",
        ),
        (
            "dateTimeConvert(20180418, '1:DAYS:SIMPLE_DATE_FORMAT:yyyyMMdd', 'SIMPLE_DATE_FORMAT|yyyy-MM', '1:DAYS')",
            "2018-04",
        ),
        ("dateTimeConvert('2018-04-18 10:11:12', 'TIMESTAMP', '1:SECONDS:EPOCH', '1:HOURS')", "1524045600"),
        ("dateTimeConvert(1524045600000, 'TIMESTAMP', '1:YEARS:EPOCH', '1:DAYS')", "48"),
        (
            "dateTimeConvert('2018-04-18T10:11:12+02:00', 'SIMPLE_DATE_FORMAT', 'EPOCH', '1:SECONDS')",
            "1524039072000",
        ),
        (
            "dateTimeConvert('1.50589896E12', '1:MILLISECONDS:EPOCH', '1:MILLISECONDS:EPOCH', '1:MILLISECONDS')",
            "1505898960000",
        ),
        ("dateTimeConvert(NULL, '1:MILLISECONDS:EPOCH', '1:DAYS:EPOCH', '1:DAYS')", "null"),
        (
            "dateTimeConvertWindowHop(1612296732123, '1:MILLISECONDS:EPOCH', '1:MILLISECONDS:EPOCH', '1:HOURS', '3:HOURS')",
            "[1612296000000, 1612292400000, 1612288800000]",
        ),
        (
            "dateTimeConvertWindowHop(1612296732123, '1:MILLISECONDS:EPOCH', '1:DAYS:SIMPLE_DATE_FORMAT:HH:mm', '1:HOURS', '2:HOURS')",
            "[20:00, 19:00]",
        ),
    ]);
    refused("dateTimeConvert(1, '1:DAY:EPOCH', '1:DAYS:EPOCH', '1:DAYS')", "did you mean `DAYS`");
    refused(
        "dateTimeConvert(1, '1:DAYS:EPCH', '1:DAYS:EPOCH', '1:DAYS')",
        "EPOCH, SIMPLE_DATE_FORMAT, TIMESTAMP",
    );
    refused("dateTimeConvert(1, 'DAYS', '1:DAYS:EPOCH', '1:DAYS')", "a format is");
    refused("dateTimeConvert(1, '1:DAYS:EPOCH', '1:DAYS:EPOCH', '0:DAYS')", "positive");
}

#[test]
fn every_function_is_described_once() {
    let mut names = std::collections::HashSet::new();
    for description in meunier_functions::descriptions() {
        for name in std::iter::once(&description.name).chain(description.aliases) {
            assert!(names.insert(meunier_functions::canonical(name)), "{name} is there twice");
        }
        let called = description.signature.split('(').next();
        assert_eq!(called, Some(description.name), "{}", description.signature);
    }
}

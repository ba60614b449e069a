// Prints what the own classes of Cassandra (5.0.9) make of values, one JSON object a line: values.jsonl, which is committed beside it.
// java --class-path "LIB/*" CassandraValues.java | grep "^{" > values.jsonl, LIB being the Maven artifact cassandra-all with what it
// depends on, whose log goes to the same place.
import java.nio.ByteBuffer;
import java.util.*;
import org.apache.cassandra.config.DatabaseDescriptor;
import org.apache.cassandra.cql3.QueryOptions;
import org.apache.cassandra.db.marshal.*;
import org.apache.cassandra.schema.*;
import org.apache.cassandra.transport.ProtocolVersion;
import org.apache.cassandra.utils.*;

public class CassandraValues {
  static final String[][] VALUES = {
    {"ascii", "\"\"", "\"a~\""},
    {"text", "\"\"", "\"\\u00e9\\ud83d\\ude00\\u0000\""},
    {"blob", "\"0x\"", "\"0x00ff10\""},
    {"boolean", "true", "false"},
    {"tinyint", "-128", "127"}, {"smallint", "-32768", "32767"},
    {"int", "-2147483648", "2147483647", "0"},
    {"bigint", "-9223372036854775808", "9223372036854775807", "9007199254740993"},
    {"varint", "0", "-1", "127", "128", "-128", "-129", "255", "256", "-256", "-32769", "9007199254740993", "-9223372036854775809", "18446744073709551616", "1000000000000000000000000000000000000000"},
    {"decimal", "\"0\"", "\"1.10\"", "\"-0.001\"", "\"1E+3\"", "\"1E-7\"", "\"0E-7\"", "\"0.0000001\"", "\"0.000001\"", "\"123E-9\"", "\"-1.5E+20\"", "\"12345678901234567890.0987654321\"", "\"1E+2147483647\"", "\"1E-2147483647\""},
    {"float", "0.1", "-0.0", "1.5", "3.4028235E38", "1.4E-45", "16777216", "\"NaN\"", "\"Infinity\"", "\"-Infinity\""},
    {"double", "0.1", "-0.0", "1.5", "1.7976931348623157E308", "4.9E-324", "\"NaN\"", "\"-Infinity\""},
    {"uuid", "\"0F0E0D0C-1234-4abc-8def-0123456789ab\""},
    {"timeuuid", "\"c2a1f600-9185-11e4-ffff-ffffffffffff\""},
    {"inet", "\"1.2.3.4\"", "\"::1\"", "\"2001:db8::ff00:42:8329\""},
    {"date", "\"1970-01-01\"", "\"2015-02-28\"", "\"-0001-01-01\"", "\"+10000-12-31\"", "\"-5877641-06-23\"", "\"0000-02-29\""},
    {"time", "\"00:00:00\"", "\"23:59:59.999999999\"", "\"13:30:54.234\""},
    {"timestamp", "\"2015-01-01T00:00:00.123Z\"", "\"1969-12-31T23:59:59.999Z\"", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993"},
    {"duration", "\"1y2mo3d4h5m6s7ms8us9ns\"", "\"-23mo\"", "\"P1Y2M3DT4H5M6S\"", "\"P3W\"", "\"P0001-02-03T04:05:06\"", "\"-2147483647mo2147483647d\"", "\"9223372036854775807ns\"", "\"-9223372036854775807ns\"", "\"127d\"", "\"0s\"", "\"63ns\"", "\"64ns\"", "\"-64ns\"", "\"-65ns\"", "\"8191ns\"", "\"8192ns\""},
    {"list<int>", "[]", "[1, 2, 1]"},
    {"frozen<set<text>>", "[]", "[\"b\", \"a\", \"\"]"},
    {"frozen<map<text, int>>", "{}", "{\"\": 1, \".\": 2, \"__proto__\": 3}"},
    {"map<int, frozen<list<text>>>", "{\"2\": [\"x\"], \"-1\": []}"},
    {"frozen<tuple<int, text, frozen<list<bigint>>>>", "[1, null, [3]]", "[null, \"\", []]"},
    {"vector<float, 3>", "[1.5, -0.0, 0.1]"},
    {"vector<int, 2>", "[1, -1]"}, {"vector<bigint, 2>", "[1, -1]"}, {"vector<double, 1>", "[0.1]"}, {"vector<boolean, 2>", "[true, false]"},
    {"vector<smallint, 2>", "[1, -1]"}, {"vector<tinyint, 2>", "[1, -1]"}, {"vector<date, 1>", "[\"1970-01-01\"]"},
    {"vector<time, 1>", "[\"00:00:00\"]"}, {"vector<timestamp, 1>", "[\"1970-01-01T00:00:00.000Z\"]"}, {"vector<uuid, 1>", "[\"0F0E0D0C-1234-4abc-8def-0123456789ab\"]"},
    {"vector<timeuuid, 1>", "[\"c2a1f600-9185-11e4-ffff-ffffffffffff\"]"}, {"vector<inet, 1>", "[\"1.2.3.4\"]"},
    {"vector<text, 3>", "[\"\", \"a\", \"" + "b".repeat(300) + "\"]"}, {"vector<varint, 2>", "[1, 256]"}, {"vector<decimal, 1>", "[\"1.1\"]"},
    {"vector<duration, 1>", "[\"1d\"]"}, {"vector<frozen<list<int>>, 2>", "[[1], []]"}, {"vector<vector<float, 2>, 2>", "[[1, 2], [3, 4]]"},
    {"vector<frozen<tuple<int, int>>, 1>", "[[1, 2]]"},
  };

  public static void main(String[] args) throws Exception {
    DatabaseDescriptor.clientInitialization();
    for (String[] row : VALUES) {
      AbstractType<?> type = CQLTypeParser.parse("ks", row[0], Types.none());
      for (int at = 1; at < row.length; at++) {
        Object json = JsonUtils.decodeJson(row[at]);
        if (json instanceof Integer && row[0].equals("timestamp")) json = ((Integer) json).longValue();
        ByteBuffer bytes = type.fromJSONObject(json).bindAndGet(QueryOptions.DEFAULT);
        System.out.println("{\"type\":" + quote(row[0]) + ",\"json\":" + row[at] + ",\"hex\":\"" + ByteBufferUtil.bytesToHex(bytes)
          + "\",\"written\":" + quote(type.toJSONString(bytes, ProtocolVersion.V4)) + "}");
      }
    }
    printOrder();
    printBounds();
  }

  /** Uuids of version 1 that are close together, as TimeUUIDType sorts them. */
  static void printOrder() {
    Random random = new Random(1);
    long[] ticks = {0, 1, 0xffffffffL, 0x100000000L, 0x7fffffffL, 0x80000000L, 139393411200000000L, 139393411200000001L, 139393411200009999L, (1L << 60) - 1};
    long[] ties = {0, -1, 0x7f7f7f7f7f7f7f7fL, 0x8080808080808080L, 0x8080808080808081L, 0x80L, 0x7fL, 0x8000000000000000L, 0x7fffffffffffffffL, 0xbfffffffffffffffL, 0x0080000000000000L, 0x007f000000000000L, 0x0000000080000000L, 0x000000007fffffffL};
    List<UUID> uuids = new ArrayList<>();
    for (long tick : ticks) for (long tie : ties) uuids.add(new UUID((tick << 32) | ((tick >>> 32 & 0xffff) << 16) | 0x1000 | (tick >>> 48), tie));
    for (int i = 0; i < 100; i++) uuids.add(new UUID((139393411200000000L << 32) | ((139393411200000000L >>> 32 & 0xffff) << 16) | 0x1000 | (139393411200000000L >>> 48), random.nextLong()));
    uuids.sort((a, b) -> TimeUUIDType.instance.compare(ByteBufferUtil.bytes(a), ByteBufferUtil.bytes(b)));
    System.out.print("{\"order\":[");
    for (int i = 0; i < uuids.size(); i++) System.out.print((i == 0 ? "" : ",") + quote(uuids.get(i).toString()));
    System.out.println("]}");
  }

  static void printBounds() {
    for (long ms : new long[] {0, -1, 1, 1420070400000L, 1420070400123L, -12219292800000L, 9999999999999L})
      System.out.println("{\"ms\":" + ms + ",\"min\":" + quote(TimeUUID.minAtUnixMillis(ms).toString()) + ",\"max\":" + quote(TimeUUID.maxAtUnixMillis(ms).toString())
        + ",\"micros\":" + quote(String.valueOf(TimeUUID.maxAtUnixMillis(ms).unix(java.util.concurrent.TimeUnit.MICROSECONDS))) + "}");
  }

  static String quote(String text) { return JsonUtils.writeAsJsonString(text); }
}

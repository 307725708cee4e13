"""The peer of the bench: Spark Structured Streaming with the Cassandra connector, from a topic to a table.

Reads what the topic holds, writes every record, and prints {"records": n}. Its one argument is the path of a plan in JSON;
the secrets that the plan points to are read from their files.
"""

import json
import pathlib
import sys
import tempfile

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

HERE = pathlib.Path(__file__).parent


def secret(path: str) -> str:
    return pathlib.Path(path).read_text(encoding="utf-8").rstrip("\r\n")


def session(plan: dict) -> SparkSession:
    stores, cassandra = plan["stores"], plan["cassandra"]
    present = {jar.name for jar in (pathlib.Path(sys.prefix).glob("lib/*/site-packages/pyspark/jars/*.jar"))}
    jars = [str(jar) for jar in (HERE / "target" / "jars").glob("*.jar") if wanted(jar.name, present)]
    store_password = secret(stores["storePasswordFile"])
    settings = {
        "spark.master": "local[*]",
        "spark.ui.enabled": "false",
        "spark.jars": ",".join(jars),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.extensions": "com.datastax.spark.connector.CassandraSparkExtensions",
        "spark.cassandra.connection.host": cassandra["host"],
        "spark.cassandra.connection.port": cassandra["port"],
        "spark.cassandra.connection.localDC": cassandra["localDataCenter"],
        "spark.cassandra.auth.username": stores["username"],
        "spark.cassandra.auth.password": secret(stores["passwordFile"]),
        "spark.cassandra.connection.ssl.enabled": "true",
        "spark.cassandra.connection.ssl.clientAuth.enabled": "true",
        # By default the connector offers key exchanges without forward secrecy only; our certificates refuse those.
        "spark.cassandra.connection.ssl.enabledAlgorithms": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "spark.cassandra.connection.ssl.keyStore.path": stores["keyStore"],
        "spark.cassandra.connection.ssl.keyStore.password": store_password,
        "spark.cassandra.connection.ssl.keyStore.type": "PKCS12",
        "spark.cassandra.connection.ssl.trustStore.path": stores["trustStore"],
        "spark.cassandra.connection.ssl.trustStore.password": store_password,
        "spark.cassandra.connection.ssl.trustStore.type": "PKCS12",
    }
    builder = SparkSession.builder.appName("wardline-bench-peer")
    for name, value in settings.items():
        builder = builder.config(name, value)
    made = builder.getOrCreate()
    made.sparkContext.setLogLevel("ERROR")
    return made


def wanted(jar: str, present: set) -> bool:
    """Jars that Spark itself brings, in its own versions, stay away."""
    artifact = jar.rsplit("-", 1)[0]
    return not any(name.rsplit("-", 1)[0] == artifact for name in present) and not jar.startswith("hadoop-client")


def messages(spark: SparkSession, plan: dict) -> DataFrame:
    stores = plan["stores"]
    password = secret(stores["passwordFile"])
    login = (
        "org.apache.kafka.common.security.scram.ScramLoginModule required "
        f'username="{stores["username"]}" password="{password}";'
    )
    options = {
        "kafka.bootstrap.servers": plan["brokers"],
        "subscribe": plan["topic"],
        "startingOffsets": "earliest",
        "failOnDataLoss": "true",
        "kafka.security.protocol": "SASL_SSL",
        "kafka.sasl.mechanism": "SCRAM-SHA-512",
        "kafka.sasl.jaas.config": login,
        "kafka.ssl.truststore.type": "PEM",
        "kafka.ssl.truststore.location": stores["trusted"],
        "kafka.ssl.keystore.type": "PEM",
        "kafka.ssl.keystore.location": stores["keyAndCertificate"],
    }
    return spark.readStream.format("kafka").options(**options).load()


def rows(raw: DataFrame, plan: dict) -> DataFrame:
    schema = ", ".join(f"`{field['field']}` {field['type']}" for field in plan["fields"])
    parsed = raw.select(f.from_json(f.col("value").cast("string"), schema).alias("m")).select("m.*")
    for field in plan["fields"]:
        value = f.col(f"`{field['field']}`")
        if field["isTime"]:
            value = f.timestamp_seconds(value.cast("long"))
        parsed = parsed.withColumn(field["column"], value)
    for derived in plan["derived"]:
        parsed = parsed.withColumn(derived["column"], f.expr(derived["expression"]))
    columns = [field["column"] for field in plan["fields"]] + [derived["column"] for derived in plan["derived"]]
    return parsed.select(*columns)


def main() -> None:
    plan = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    spark = session(plan)
    with tempfile.TemporaryDirectory() as checkpoints:
        query = (
            rows(messages(spark, plan), plan)
            .writeStream.format("org.apache.spark.sql.cassandra")
            .options(keyspace=plan["keyspace"], table=plan["table"])
            .option("checkpointLocation", checkpoints)
            .outputMode("append")
            .trigger(availableNow=True)
            .start()
        )
        query.awaitTermination()
        stored = sum(progress["numInputRows"] for progress in query.recentProgress)
    print(json.dumps({"records": stored}), flush=True)
    spark.stop()


if __name__ == "__main__":
    main()

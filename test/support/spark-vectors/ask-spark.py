"""Second half of making the vectors: asks Spark SQL (pyspark 3.5, Java 17, ANSI mode, UTC) for each expression's type
and its value on each row. Usage: ask-spark.py QUESTIONS VECTORS, with the output of to-spark.ts as QUESTIONS."""

import json
import re
import sys

import pyspark
from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import SparkSession

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.ansi.enabled", "true")
    .config("spark.sql.session.timeZone", "UTC")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")

with open(sys.argv[1], encoding="utf8") as file:
    given = json.load(file)


def literal(text, sql_type):
    if text is None:
        return f"CAST(NULL AS {sql_type})"
    return f"CAST('{text}' AS {sql_type})"


def error_class(error):
    match = re.search(r"\[([A-Z_.]+)\]", str(error))
    return match.group(1) if match else type(error).__name__


rows = len(given["columns"][0]["values"])
for row in range(rows):
    columns = [f"{literal(c['values'][row], c['spark'])} AS {c['name']}" for c in given["columns"]]
    spark.sql(f"SELECT {', '.join(columns)}").createOrReplaceTempView(f"row{row}")


def answer(question):
    text = question["spark"]
    try:
        sql_type = spark.sql(f"SELECT {text} AS x FROM row0").schema[0].dataType.simpleString()
    except (AnalysisException, ParseException) as error:
        return {**question, "refused": error_class(error)}
    results = []
    for row in range(rows):
        try:
            results.append(spark.sql(f"SELECT CAST({text} AS STRING) FROM row{row}").collect()[0][0])
        except Exception as error:
            results.append({"error": error_class(error)})
    return {**question, "type": sql_type, "results": results}


vectors = [answer(question) for question in given["questions"]]
with open(sys.argv[2], "w", encoding="utf8") as file:
    entries = ",\n".join("    " + json.dumps(vector, ensure_ascii=False) for vector in vectors)
    columns = json.dumps(given["columns"], ensure_ascii=False)
    file.write(f'{{\n  "spark": "{pyspark.__version__}",\n  "columns": {columns},\n  "vectors": [\n{entries}\n  ]\n}}\n')

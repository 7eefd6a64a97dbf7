rule dataset:
    input:
        manifest=manifest_of,
        settings="results/dataset/{key}/settings.yaml",
        code=code_of("dataset"),
    output:
        "results/dataset/{key}/shard-{shard}.checks.json",
    log:
        "logs/dataset/{key}/{shard}.log",
    conda:
        "../../envs/matlabel.yaml"
    resources:
        mem_mb=memory_of,
        runtime=minutes_of,
        cpus_per_task=cores_of,
    params:
        code=sources_digest("dataset"),
    shell:
        "matlabel dataset --settings {input.settings} --dataset {input.manifest} --out {output} --code {params.code} > {log} 2>&1"

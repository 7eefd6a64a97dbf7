rule mattes:
    input:
        manifest=manifest_of,
        checks=checks_of,
        activations=shard_of("activations"),
        trimaps=shard_of("trimaps"),
        settings="results/mattes/{key}/settings.yaml",
        code=code_of("mattes"),
    output:
        "results/mattes/{key}/shard-{shard}.h5",
    log:
        "logs/mattes/{key}/{shard}.log",
    params:
        code=sources_digest("mattes"),
        trimaps=lambda wildcards, input: option("trimaps", input.trimaps),
    shell:
        "matlabel mattes --settings {input.settings} --dataset {input.manifest} --activations {input.activations}"
        " {params.trimaps} --out {output} --code {params.code} > {log} 2>&1"

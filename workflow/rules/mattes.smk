rule mattes:
    input:
        unpack(job.images),
        **job.made_by("mattes"),
        activations=job.shard("activations"),
        trimaps=job.shard("trimaps"),
        network=job.weight_files,
    output:
        **leaves("mattes"),
    log:
        log_of("mattes"),
    conda:
        "../../envs/matlabel.yaml"
    threads: job.threads
    resources:
        **job.resources(gpu=True),
    params:
        code=job.digest("mattes"),
        options=job.options("activations", "trimaps"),
    shell:
        "matlabel mattes --settings {input.settings} --dataset {input.manifest} {params.options} --out {output.main}"
        " --device {resources.device} --workers {threads} --code {params.code} > {log} 2>&1"
